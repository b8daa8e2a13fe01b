"""Stage evaluate: exact ranks of every test mention over the whole knowledge base.

usage  python -m pipeline.evaluate DATASET
in     data/interim/<dataset>, data/features/<dataset>, data/models/<dataset>
out    data/ranks/<dataset>/ranks.parquet; reports/<dataset>/metrics.json, plots/ranks.csv
"""

from __future__ import annotations

from pathlib import Path

from mmoe.audit.metrics import part_metrics, parts_of
from mmoe.config.encode import EncodeParams
from mmoe.config.evaluate import EvaluateParams
from mmoe.config.load import ParamsFile
from mmoe.config.train import TrainParams
from mmoe.evaluation.histogram import write_histogram
from mmoe.evaluation.ranks import Ranks
from mmoe.evaluation.summary import gain_metrics, system_metrics
from mmoe.files import write_json
from mmoe.linking.checkpoint import load_checkpoint
from mmoe.linking.data import LinkingData
from mmoe.linking.device import resolve_device
from mmoe.linking.memory import keep_memory_flat
from mmoe.linking.rank_table import write_rank_table
from mmoe.linking.ranking import MentionRanks, rank_over_kb
from mmoe.model.registry import spec_from_params
from mmoe.records import Entity, Leak, Mention, read_records

from pipeline.layout import Layout
from pipeline.stage import run_stage


def evaluate(at: Layout, file: ParamsFile) -> None:
    keep_memory_flat()
    encode, params = file.section(EncodeParams), file.section(EvaluateParams)
    device = resolve_device(file.section(TrainParams).device)
    mentions, entities = read_records(at.mentions, Mention), read_records(at.entities, Entity)
    data = LinkingData.open(mentions, entities, at.features, encode.feature_config)
    spec = spec_from_params(file, data.widths)
    test = data.linkable("test")
    chosen = [mentions[i] for i in test.tolist()]

    def ranks_by(checkpoint: Path, top_n: int) -> MentionRanks:
        return rank_over_kb(
            load_checkpoint(checkpoint, spec).matcher.to(device),
            data.entity_batches(device),
            data.mention_batches(test, device),
            data.gold_of(test),
            engine=params.engine,
            top_n=top_n,
        )

    ranked = ranks_by(at.model / "matcher.safetensors", params.top_n)
    metrics = system_metrics(ranked.ranks, params.hits_at, params.bootstrap_samples)
    untrained: Ranks | None = None
    if params.untrained:
        untrained = ranks_by(at.model / "untrained.safetensors", 0).ranks
        start = system_metrics(untrained, params.hits_at, params.bootstrap_samples)
        metrics |= {f"untrained_{name}": value for name, value in start.items()}
        metrics |= gain_metrics(ranked.ranks, untrained, params.bootstrap_samples)
    leak_of = {leak.mention_id: leak for leak in read_records(at.leaks, Leak)}
    parts = parts_of(chosen, [leak_of[mention.mention_id] for mention in chosen])
    metrics |= part_metrics(ranked.ranks, parts, params.hits_at, params.bootstrap_samples)
    metrics["num_mentions"], metrics["num_entities"] = len(test), len(entities)
    metrics["num_left_out"] = sum(m.split == "test" for m in mentions) - len(test)
    write_rank_table(at.ranks / "ranks.parquet", chosen, entities, ranked, untrained)
    write_json(at.report / "metrics.json", metrics)
    write_histogram(at.report / "plots/ranks.csv", ranked.ranks)
    print(f"{len(test)} mentions over {len(entities)} entities: MRR {metrics['mrr']:.2f}")


if __name__ == "__main__":
    run_stage(evaluate, __doc__)
