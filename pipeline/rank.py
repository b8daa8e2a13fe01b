"""Stage rank: one candidate's description for every mention, and the mentions' text input.

usage  python -m pipeline.rank DATASET [--estimate]
in     data/interim/<dataset>/{mentions,candidates}.parquet, entities.parquet there for rank.backend:
       oracle_description, images of data/raw/<dataset> with rank.with_image
out    data/interim/<dataset>/{descriptions.parquet,rank.json,ledger.jsonl},
       data/interim/<dataset>/inputs/mention_text.parquet
       .mmoe/rank/<dataset>/log.jsonl: calls, money and time of every run of a language model
"""

from __future__ import annotations

from mmoe.config.encode import EncodeParams
from mmoe.config.llm import LlmParams
from mmoe.config.load import ParamsFile
from mmoe.config.rank import RankParams
from mmoe.config.runtime import RuntimeParams
from mmoe.descriptions import group_candidates, mention_texts
from mmoe.descriptions.counts import ranking_counts
from mmoe.files import write_sealed_json, write_text
from mmoe.records import (
    READS_ANSWER,
    Candidate,
    Description,
    Mention,
    TextInput,
    read_records,
    write_records,
)

from pipeline.layout import Layout
from pipeline.rankers import LocalRankers
from pipeline.stage import run_stage

ESTIMATE = "say what a language model would be asked and cost, and stop"


def rank(at: Layout, file: ParamsFile, estimate: bool = False) -> None:
    params = file.section(RankParams)
    mentions = read_records(at.mentions, Mention)
    candidates = group_candidates(mentions, read_records(at.candidates, Candidate, at.records))
    if estimate:
        # Imported here, as below: the other backends start without a client.
        from pipeline.language_model import estimated

        print(estimated(at, params, file.section(LlmParams), mentions, candidates))
        return
    if params.backend == "openai":
        from pipeline.language_model import ranked_by_model

        llm = file.section(LlmParams)
        descriptions, how = ranked_by_model(at, params, llm, mentions, candidates)
    else:
        how = {}
        encoding = file.section(EncodeParams).for_ranking
        rankers = LocalRankers(
            at, "rank", params.seed, params.encoder, encoding, file.section(RuntimeParams)
        )
        descriptions = rankers.rank(params.backend, mentions, candidates)
        write_text(at.ledger, "")
    choice = {"backend": params.backend} | how
    if params.backend in READS_ANSWER:
        choice["note"] = "reads the answer: what follows is a bound, not a result"
        print(f"{at.dataset}: rank.backend {params.backend} {choice['note']}")
    # Whoever chooses descriptions for mentions of their own reads these, too.
    own = {"seed": params.seed, "encoder": params.encoder}
    write_records(at.descriptions, Description, descriptions, own | choice, at.choice)
    write_records(at.inputs("mention_text"), TextInput, mention_texts(mentions, descriptions))
    counts = ranking_counts(mentions, descriptions, candidates)
    write_sealed_json(at.rank_counts, choice | counts)
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
    run_stage(rank, __doc__, flags={"estimate": ESTIMATE})
