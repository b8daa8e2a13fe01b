"""Stage baselines: names, BM25 and frozen cosines on the test mentions, over the whole KB.

usage  python -m pipeline.baselines DATASET
in     data/interim/<dataset>/{mentions,entities,candidates,descriptions}.parquet, left_out/<leak_policy>.json
       there, data/features/<dataset>
out    data/ranks/<dataset>/baselines.parquet
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from mmoe.baselines.run import BaselineRanks, FeatureParts, Records, run_baselines
from mmoe.config.data import DataParams
from mmoe.config.encode import EncodeParams
from mmoe.config.load import ParamsFile
from mmoe.records import Candidate, Description, Entity, read_records
from mmoe.sealed_parquet import write_sealed

from pipeline.current import check_features
from pipeline.kept import kept_mentions
from pipeline.layout import Layout
from pipeline.stage import run_stage


def baselines(at: Layout, file: ParamsFile) -> None:
    encode = file.section(EncodeParams)
    records = read_known(at, file.section(DataParams).leak_policy)
    ids = [mention.mention_id for mention in records.linkable("test")]
    check_features(at)
    ranks = run_baselines(records, FeatureParts(at.features, encode.feature_config))
    table = pa.concat_tables(rank_rows(ids, method, found) for method, found in ranks.items())
    write_sealed(at.ranks / "baselines.parquet", table, at.records)
    print(f"{at.dataset}: {len(ranks)} baselines ranked {len(ids)} mentions")


def read_known(at: Layout, leak_policy: str) -> Records:
    """What is known of a data set beside features."""
    descriptions = read_records(at.descriptions, Description, at.choice)
    return Records(
        kept_mentions(at, leak_policy),
        read_records(at.entities, Entity),
        read_records(at.candidates, Candidate, at.records),
        {each.mention_id: each.description for each in descriptions if each.description},
        {each.mention_id: each.qid for each in descriptions if each.qid},
    )


def rank_rows(ids: list[str], method: str, found: BaselineRanks) -> pa.Table:
    """Rows of one method; ranks that were not counted are null."""
    columns: dict[str, Any] = {
        "mention_id": pa.array(ids, pa.string()),
        "method": pa.array([method] * len(ids), pa.string()),
    }
    for name, ranks in (("rank", found.whole), ("candidate_rank", found.among)):
        nothing = [None] * len(ids)
        columns[name] = pa.array(nothing if ranks is None else ranks.pessimistic, pa.int64())
        columns[f"{name}_optimistic"] = pa.array(
            nothing if ranks is None else ranks.optimistic, pa.int64()
        )
    return pa.table(columns)


if __name__ == "__main__":
    run_stage(baselines, __doc__)
