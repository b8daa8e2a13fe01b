"""Encoder and matcher of one data set, trained together on its raw texts and images."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import torch

import mmoe.encoders
import mmoe.linking
import mmoe.model
import mmoe.training
import mmoe.tuning
from mmoe.config.data import DataParams
from mmoe.config.encode import EncodeParams
from mmoe.config.load import ParamsFile
from mmoe.config.loss import LossParams
from mmoe.config.runtime import RuntimeParams
from mmoe.config.train import TrainParams
from mmoe.config.tune import TuneParams
from mmoe.encoders.base import Encoder
from mmoe.encoders.registry import load_encoder
from mmoe.encoders.tuned import Tuning
from mmoe.files import (
    atomic_folder,
    content_key,
    remove_folder,
    sha256_of,
    sources_key,
    write_sealed_json,
)
from mmoe.linking.checkpoint import Checkpoint, save_checkpoint
from mmoe.linking.data import LinkingData, gold_positions
from mmoe.linking.device import compute_deterministically, resolve_device, resolve_precision
from mmoe.linking.memory import keep_memory_flat
from mmoe.model.registry import build_matcher, spec_from_params
from mmoe.records import Entity, ImageInput, Mention, TextInput, read_records
from mmoe.tuning.live import ImageFiles, Live, LiveSide
from mmoe.tuning.processes import Processes
from mmoe.tuning.run import joint_trainer

from pipeline.kept import kept_mentions
from pipeline.layout import MATCHER_PARTS, Layout
from pipeline.unfinished import drop_stale


def tune_jointly(at: Layout, file: ParamsFile, params: TuneParams) -> None:
    """Writes the tuned encoder and its matcher."""
    keep_memory_flat()
    compute_deterministically()
    encode, train = file.section(EncodeParams), file.section(TrainParams)
    loss, runtime = file.section(LossParams), file.section(RuntimeParams)
    policy = file.section(DataParams).leak_policy
    processes = Processes.of_run()
    device = (
        f"cuda:{processes.rank}"
        if processes.count > 1 and torch.cuda.is_available()
        else runtime.device
    )
    torch.manual_seed(train.seed)
    tuning = Tuning(load_encoder(encode.model, device), params)
    precision = resolve_precision(train.precision, resolve_device(device))
    live = Live(tuning.encoder, encode, params.rows_at_a_time, precision, processes)
    data = _live_data(at, live, kept_mentions(at, policy))
    spec = spec_from_params(file, data.widths)
    matcher = build_matcher(spec, train.seed).to(resolve_device(device))
    sections = (spec.model, spec.own, loss, train, params, encode)
    config = {section.SECTION: section.model_dump(mode="json") for section in sections}
    files = [at.mentions, at.entities, at.left_out(policy), *map(at.inputs, MATCHER_PARTS)]
    rooms = (mmoe.encoders, mmoe.linking, mmoe.model, mmoe.training, mmoe.tuning)
    code = sources_key(*(Path(room.__path__[0]) for room in rooms))
    key = content_key(config, tuning.encoder.fingerprint, [*map(sha256_of, files)], code)
    work = at.work("tune") / key
    if processes.rank == 0:
        drop_stale(work)
    trainer = joint_trainer(
        matcher,
        tuning,
        data,
        (train, params, loss),
        work,
        checkpoint_every=runtime.checkpoint_every,
    )
    progress = trainer.run()
    _say_broken(at, data)
    if processes.rank == 0:
        with atomic_folder(at.tuned) as folder:
            tuning.save(folder / "encoder")
            versions = {name: version(name) for name in ("mmoe", "torch", "transformers")}
            about = _feature_config(tuning.encoder, encode)
            checkpoint = Checkpoint(matcher, about, config, versions)
            save_checkpoint(folder / "matcher.safetensors", checkpoint)
            counts = {"encoder": _count(tuning.trained), "matcher": _count(matcher)}
            note = {"method": params.method, "trained_parameters": counts}
            write_sealed_json(folder / "tune.json", note | trainer.summary() | {"config": config})
        remove_folder(work)
    processes.wait()
    print(
        f"{at.dataset}: {params.method}: best epoch {progress.best_epoch}, MRR {progress.best_mrr:.2f} of "
        f"held-out mentions; {_count(tuning.trained):,} parameters of the encoder trained"
    )


def _live_data(at: Layout, live: Live, mentions: list[Mention]) -> LinkingData[LiveSide]:
    entities = read_records(at.entities, Entity)
    ids = {"mention": [m.mention_id for m in mentions], "entity": [e.qid for e in entities]}
    sides = []
    for side, wanted in ids.items():
        texts = {row.id: row for row in read_records(at.inputs(f"{side}_text"), TextInput)}
        images = None
        if live.encoder.sees_images:
            rows = {row.id: row for row in read_records(at.inputs(f"{side}_image"), ImageInput)}
            images = ImageFiles([rows[i] for i in wanted], at.raw, live.encode.max_pixels)
        sides.append(live.side([texts[i] for i in wanted], images, side == "mention"))
    return LinkingData(mentions, entities, sides[0], sides[1], gold_positions(mentions, entities))


def _feature_config(encoder: Encoder, encode: EncodeParams) -> dict[str, object]:
    """What makes the features that the matcher saw; stage train stores another, of what stage encode made."""
    return encode.feature_config | {"fingerprint": encoder.fingerprint, "joint": encoder.joint}


def _count(module: torch.nn.Module) -> int:
    return sum(p.numel() for p in module.parameters() if p.requires_grad)


def _say_broken(at: Layout, data: LinkingData[LiveSide]) -> None:
    for side in (data.mention_side, data.entity_side):
        for image, reason in sorted((side.images.broken if side.images else {}).items()):
            print(f"masked, as it can't be read: {at.raw / image}: {reason}")
