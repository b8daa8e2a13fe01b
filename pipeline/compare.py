"""Stage compare: what other ways to choose a description would choose for the test mentions.

usage  python -m pipeline.compare DATASET
in     data/interim/<dataset>/{mentions,entities,candidates,descriptions}.parquet
out    data/interim/<dataset>/choices.parquet, data/interim/<dataset>/inputs/ablation_text.parquet
"""

from __future__ import annotations

from mmoe.config.compare import CompareParams
from mmoe.config.encode import EncodeParams
from mmoe.config.load import ParamsFile
from mmoe.config.rank import RankParams
from mmoe.config.runtime import RuntimeParams
from mmoe.descriptions import ablation_texts, group_candidates
from mmoe.records import Candidate, Description, Mention, TextInput, read_records, write_records

from pipeline.layout import Layout
from pipeline.rankers import LocalRankers
from pipeline.stage import run_stage


def compare(at: Layout, file: ParamsFile) -> None:
    mentions = read_records(at.mentions, Mention)
    groups = group_candidates(mentions, read_records(at.candidates, Candidate))
    test = [mention for mention in mentions if mention.split == "test" and mention.in_kb]
    of_test = {mention.mention_id for mention in test}
    own = [r for r in read_records(at.descriptions, Description) if r.mention_id in of_test]
    choices = list(own)
    used = {record.backend for record in own}
    runtime = file.section(RuntimeParams)
    params, encoding = file.section(RankParams), file.section(EncodeParams).for_ranking
    rankers = LocalRankers(at, "compare", params.seed, params.encoder, encoding, runtime)
    for backend in file.section(CompareParams).backends:
        if backend not in used:
            choices += rankers.rank(backend, test, groups)
    texts = ablation_texts(test, choices)
    write_records(at.choices, Description, choices)
    write_records(at.inputs("ablation_text"), TextInput, texts)
    print(f"{at.dataset}: {len(choices)} choices for {len(test)} mentions, {len(texts)} texts")


if __name__ == "__main__":
    run_stage(compare, __doc__)
