"""Stage rank: one candidate's description for every mention, and the mentions' text input.

usage  python -m pipeline.rank DATASET
in     data/interim/<dataset>/{mentions,candidates}.parquet
out    data/interim/<dataset>/{descriptions.parquet,rank.json},
       data/interim/<dataset>/inputs/mention_text.parquet
"""

from __future__ import annotations

from mmoe.config.load import ParamsFile
from mmoe.config.rank import RankParams
from mmoe.files import write_json
from mmoe.ranking import group_candidates, make_ranker, mention_texts
from mmoe.ranking.counts import ranking_counts
from mmoe.records import Candidate, Description, Mention, TextInput, read_records, write_records

from pipeline.layout import Layout
from pipeline.stage import run_stage


def rank(at: Layout, file: ParamsFile) -> None:
    params = file.section(RankParams)
    mentions = read_records(at.mentions, Mention)
    candidates = group_candidates(mentions, read_records(at.candidates, Candidate))
    descriptions = make_ranker(params.backend).rank(mentions, candidates)
    write_records(at.descriptions, Description, descriptions, params.model_dump())
    write_records(at.inputs("mention_text"), TextInput, mention_texts(mentions, descriptions))
    counts = ranking_counts(mentions, descriptions, candidates)
    write_json(at.rank_counts, {"backend": params.backend} | counts)
    numbers = counts["all"]
    print(
        f"{at.dataset}: {numbers['chosen']} of {numbers['mentions']} mentions get a candidate "
        f"(backend {params.backend}), {numbers['described']} a description"
    )
    print(
        f"the choice is the gold entity for {numbers['right']} of {numbers['with_gold']} mentions "
        f"that have one, of {numbers['with_gold_candidate']} that have it among their candidates"
    )


if __name__ == "__main__":
    run_stage(rank, __doc__)
