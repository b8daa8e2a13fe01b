"""Stage baselines: name match, BM25 and untrained cosines on the test mentions, over the whole KB.

usage  python -m pipeline.baselines DATASET
in     data/interim/<dataset>/{mentions,entities}.parquet, data/features/<dataset>
out    data/ranks/<dataset>/baselines.parquet
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq

from mmoe.baselines.run import run_baselines
from mmoe.config.encode import EncodeParams
from mmoe.config.load import ParamsFile
from mmoe.files import atomic_write
from mmoe.records import Entity, Mention, read_records

from pipeline.layout import Layout
from pipeline.stage import run_stage


def baselines(at: Layout, file: ParamsFile) -> None:
    encode = file.section(EncodeParams)
    entities = read_records(at.entities, Entity)
    mentions = [m for m in read_records(at.mentions, Mention) if m.split == "test" and m.in_kb]
    ranks = run_baselines(mentions, entities, at.features, encode.feature_config)
    table = pa.concat_tables(
        pa.table(
            {
                "mention_id": [mention.mention_id for mention in mentions],
                "method": [method] * len(mentions),
                "rank": found.pessimistic,
                "rank_optimistic": found.optimistic,
            }
        )
        for method, found in ranks.items()
    )
    with atomic_write(at.ranks / "baselines.parquet") as path:
        pq.write_table(table, path, compression="zstd")
    print(f"{at.dataset}: {len(ranks)} baselines ranked {len(mentions)} mentions")


if __name__ == "__main__":
    run_stage(baselines, __doc__)
