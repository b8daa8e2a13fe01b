"""Stage train: the matcher on cached features, early stopping by exact ranks of held-out mentions.

usage  python -m pipeline.train DATASET
in     data/interim/<dataset>/{mentions,entities}.parquet, left_out/<leak_policy>.json there,
       data/features/<dataset>, data/tuned/<dataset>
out    data/models/<dataset>/{matcher,untrained}.safetensors, history.json; reports/<dataset>/training

A run that was killed goes on from .mmoe/train/<dataset> and ends with the same weights.
"""

from __future__ import annotations

from functools import partial
from importlib.metadata import version
from pathlib import Path

import mmoe.linking
import mmoe.model
import mmoe.training
from mmoe.config.data import DataParams
from mmoe.config.encode import EncodeParams
from mmoe.config.load import ParamsFile
from mmoe.config.loss import LossParams
from mmoe.config.runtime import RuntimeParams
from mmoe.config.train import TrainParams
from mmoe.files import content_key, remove_folder, sha256_of, sources_key, write_sealed_json
from mmoe.linking.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from mmoe.linking.data import LinkingData
from mmoe.linking.device import compute_deterministically, resolve_device, resolve_precision
from mmoe.linking.memory import keep_memory_flat
from mmoe.model.registry import build_matcher, spec_from_params
from mmoe.records import Entity, read_records
from mmoe.training.held_out import held_out_mrr
from mmoe.training.trainer import Trainer

from pipeline.current import check_features
from pipeline.kept import kept_mentions
from pipeline.layout import Layout
from pipeline.live import LiveCurves
from pipeline.stage import run_stage
from pipeline.tuned import tune_note
from pipeline.unfinished import drop_stale

TUNED = ("method", "trained_parameters")  # what the report says of stage tune


def train(at: Layout, file: ParamsFile) -> None:
    keep_memory_flat()
    compute_deterministically()
    encode, params = file.section(EncodeParams), file.section(TrainParams)
    loss, runtime = file.section(LossParams), file.section(RuntimeParams)
    policy = file.section(DataParams).leak_policy
    mentions, entities = kept_mentions(at, policy), read_records(at.entities, Entity)
    check_features(at)
    note = tune_note(at)
    about = {"tuned": {key: note[key] for key in TUNED}} if note["method"] != "none" else {}
    data = LinkingData.open(mentions, entities, at.features, encode.feature_config)
    device = resolve_device(runtime.device)
    spec = spec_from_params(file, data.widths)
    matcher = build_matcher(spec, params.seed).to(device)
    if params.from_ == "tune":
        tuned = load_checkpoint(at.tuned, spec).matcher
        matcher.load_state_dict(tuned.state_dict())
    sections = (spec.model, spec.own, loss, params)
    config = {section.SECTION: section.model_dump(mode="json") for section in sections}
    versions = {name: version(name) for name in ("mmoe", "torch")}

    def save(name: str) -> None:
        whole = Checkpoint(matcher, data.feature_config, config, versions)
        save_checkpoint(at.model / f"{name}.safetensors", whole)

    rooms = (mmoe.linking, mmoe.model, mmoe.training)
    code = sources_key(*(Path(room.__path__[0]) for room in rooms))
    files = [at.mentions, at.entities, at.left_out(policy)]
    files += [at.tuned / "matcher.safetensors"] if params.from_ == "tune" else []
    work = at.work("train") / content_key(config, data.parts, [*map(sha256_of, files)], code)
    drop_stale(work)
    mrr_of = partial(
        held_out_mrr,
        data=data,
        seed=params.seed,
        precision=resolve_precision(params.precision, device),
        folder=work / "index",
    )
    with LiveCurves(at.report / "training") as curves:
        trainer = Trainer(
            matcher, data, params, loss, mrr_of, work, [curves], runtime.checkpoint_every
        )
        save("untrained")
        progress = trainer.run()
    save("matcher")
    history = {**trainer.summary(), "config": config, **about}
    write_sealed_json(at.model / "history.json", history)
    print(f"best epoch {progress.best_epoch}: MRR {progress.best_mrr:.2f} of held-out mentions")
    remove_folder(work)


if __name__ == "__main__":
    run_stage(train, __doc__)
