"""Stage metrics: from ranks to MRR and Hits@n, with intervals, gains over the baselines and breakdowns.

usage  python -m pipeline.metrics DATASET
in     data/ranks/<dataset>/{ranks,baselines,reranked,description_ablation}.parquet, choices.json there,
       data/interim/<dataset>/{mentions,entities,leaks}.parquet
out    reports/<dataset>/metrics.json: the few figures that DVC compares;
       reports/<dataset>/evaluation.json: all others; reports/<dataset>/description_ablation.json: those of
       the descriptions of other backends; reports/<dataset>/plots/ranks.csv
"""

from __future__ import annotations

from mmoe.config.evaluate import EvaluateParams
from mmoe.config.load import ParamsFile
from mmoe.description_ablation.gains import gains
from mmoe.errors import DataError
from mmoe.evaluation.histogram import rank_histogram
from mmoe.evaluation.metrics import run_metrics
from mmoe.evaluation.ranks import Ranks
from mmoe.evaluation.reading import (
    RANK_COLUMNS,
    breakdowns,
    join_mentions,
    ranked_systems,
    read_table,
)
from mmoe.files import atomic_write, read_sealed_json, write_json, write_sealed_json
from mmoe.records import Entity, Leak, Mention, read_records

from pipeline.layout import Layout
from pipeline.stage import run_stage


def metrics(at: Layout, file: ParamsFile) -> None:
    params = file.section(EvaluateParams)
    mentions = read_records(at.mentions, Mention)
    table = read_table(at.ranks / "ranks.parquet", RANK_COLUMNS, at.records)
    frame = join_mentions(table, mentions, read_records(at.leaks, Leak, at.records))
    baselines = read_table(at.ranks / "baselines.parquet", made_of=at.records)
    whole = ranked_systems(frame, baselines)
    reranked = read_table(at.ranks / "reranked.parquet", made_of=at.records)
    again = ranked_systems(frame, reranked)
    if whole is None or again is None:
        raise DataError("ranks.parquet: some mentions have no rank; run dvc repro")
    before = frame["untrained_rank"]
    found = run_metrics(
        whole,
        ranked_systems(frame, baselines, "candidate_rank"),
        None if before.isna().any() else Ranks(*[before.to_numpy("int64")] * 2),
        again.baselines,
        breakdowns(frame, read_records(at.entities, Entity)),
        hits=params.hits_at,
        samples=params.bootstrap_samples,
        num_left_out=sum(mention.split == "test" for mention in mentions) - len(frame),
    )
    write_json(at.report / "metrics.json", found.tracked())
    write_sealed_json(at.report / "evaluation.json", found.to_json())
    ablation = read_table(at.ranks / "description_ablation.parquet", made_of=at.records)
    worth = gains(ablation, params.bootstrap_samples)
    choices = read_sealed_json(at.ranks / "choices.json")
    write_sealed_json(at.report / "description_ablation.json", choices | {"systems": worth})
    with atomic_write(at.report / "plots/ranks.csv") as path:
        rank_histogram(frame["rank"].to_numpy()).to_csv(path, index=False)
    print(
        f"{at.dataset}: MRR {found.system.mrr.value:.2f} of {len(frame)} mentions; "
        f"strongest baseline: {found.strongest_baseline}"
    )


if __name__ == "__main__":
    run_stage(metrics, __doc__)
