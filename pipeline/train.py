"""Stage train: the matcher on cached features, early stopping on validation MRR over the whole KB.

usage  python -m pipeline.train DATASET
in     data/interim/<dataset>/{mentions,entities}.parquet, left_out/<leak_policy>.json there,
       data/features/<dataset>
out    data/models/<dataset>/{matcher,untrained}.safetensors, history.json; reports/<dataset>/training

A run that was killed goes on from .mmoe/train/<dataset> and ends with the same weights.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import mmoe.model
import mmoe.training
from mmoe.config.data import DataParams
from mmoe.config.encode import EncodeParams
from mmoe.config.load import ParamsFile
from mmoe.config.loss import LossParams
from mmoe.config.model import ModelParams
from mmoe.config.moe import MoeParams
from mmoe.config.runtime import RuntimeParams
from mmoe.config.train import TrainParams
from mmoe.evaluation.estimates import reciprocals
from mmoe.files import content_key, read_json, sha256_of, sources_key, write_json
from mmoe.linking.build import build_matcher
from mmoe.linking.checkpoint import save_matcher
from mmoe.linking.data import LinkingData
from mmoe.linking.device import resolve_device
from mmoe.linking.memory import keep_memory_flat
from mmoe.linking.ranking import rank_over_kb
from mmoe.model.matcher import Matcher
from mmoe.records import Entity, Mention, read_records
from mmoe.training.trainer import Trainer

from pipeline.layout import Layout
from pipeline.live import LiveCurves
from pipeline.stage import run_stage


def train(at: Layout, file: ParamsFile) -> None:
    keep_memory_flat()
    encode, params = file.section(EncodeParams), file.section(TrainParams)
    runtime = file.section(RuntimeParams)
    model, moe, loss = file.section(ModelParams), file.section(MoeParams), file.section(LossParams)
    mentions, entities = read_records(at.mentions, Mention), read_records(at.entities, Entity)
    left_out = at.left_out(file.section(DataParams).leak_policy)
    dropped = set(read_json(left_out))
    mentions = [mention for mention in mentions if mention.mention_id not in dropped]
    data = LinkingData.open(mentions, entities, at.features, encode.feature_config)
    device = resolve_device(runtime.device)
    matcher = build_matcher(data.widths, model, moe, params.seed, device)
    config = {kind.SECTION: kind.model_dump(mode="json") for kind in (model, moe, loss, params)}

    valid = data.linkable("valid")

    def validate(matcher: Matcher) -> float:
        entities, mentions = data.entity_batches(device), data.mention_batches(valid, device)
        ranked = rank_over_kb(matcher, entities, mentions, data.gold_of(valid))
        return float(reciprocals(ranked.ranks.pessimistic).mean())

    code = sources_key(*(Path(room.__path__[0]) for room in (mmoe.model, mmoe.training)))
    records = [sha256_of(path) for path in (at.mentions, at.entities, left_out)]
    work = at.work("train") / content_key(config, data.feature_config, records, code)
    with LiveCurves(at.report / "training") as curves:
        trainer = Trainer(
            matcher, data, params, loss, validate, work, [curves], runtime.checkpoint_every
        )
        save_matcher(at.model / "untrained.safetensors", matcher, config)
        progress = trainer.run()
    save_matcher(at.model / "matcher.safetensors", matcher, config)
    write_json(at.model / "history.json", trainer.summary() | {"config": config})
    print(f"best epoch {progress.best_epoch}: validation MRR {progress.best_mrr:.2f}")
    shutil.rmtree(work)


if __name__ == "__main__":
    run_stage(train, __doc__)
