"""Stage baselines: name match, BM25 and untrained cosines on the test mentions, over the whole KB.

usage  python -m pipeline.baselines DATASET
in     data/interim/<dataset>/{mentions,entities}.parquet, data/features/<dataset>
out    data/ranks/<dataset>/baselines.parquet; reports/<dataset>/baselines.json
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq

from mmoe.baselines.run import run_baselines
from mmoe.config.encode import EncodeParams
from mmoe.config.evaluate import EvaluateParams
from mmoe.config.load import ParamsFile
from mmoe.evaluation.summary import system_metrics
from mmoe.files import atomic_write, write_json
from mmoe.records import Entity, Mention, read_records

from pipeline.layout import Layout
from pipeline.stage import run_stage


def baselines(at: Layout, file: ParamsFile) -> None:
    encode, params = file.section(EncodeParams), file.section(EvaluateParams)
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
    metrics = {
        method: system_metrics(found, params.hits_at, params.bootstrap_samples)
        for method, found in ranks.items()
    }
    write_json(at.report / "baselines.json", metrics)
    for method, values in metrics.items():
        print(f"{method:<26} MRR {values['mrr']:6.2f}  Hits@1 {values['hits_at_1']:6.2f}")


if __name__ == "__main__":
    run_stage(baselines, __doc__)
