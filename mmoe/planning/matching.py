"""What training and the index of the knowledge base will take."""

from __future__ import annotations

import math
from collections.abc import Sequence

from mmoe.config.encode import EncodeParams
from mmoe.config.evaluate import EvaluateParams
from mmoe.config.load import ParamsFile
from mmoe.config.loss import LossParams
from mmoe.config.runtime import RuntimeParams
from mmoe.config.train import TrainParams
from mmoe.encoders.base import Encoder
from mmoe.errors import DataError
from mmoe.files import bytes_under, read_sealed_json
from mmoe.linking.device import resolve_device
from mmoe.model.features import FeatureWidths
from mmoe.model.matcher import Matcher, MatcherSpec
from mmoe.model.registry import build_matcher, spec_from_params
from mmoe.planning.bench import Bench
from mmoe.planning.encoding import Encoding
from mmoe.planning.steps import DONE, Places, Step
from mmoe.records import Entity, Mention, read_records
from mmoe.training.held_out import MOST_ENTITIES, MOST_HELD_OUT

# Weights, and two moments of the optimiser for each, in `best`, in `last`, and in the one being written.
COPIES_IN_TRAINING = 3 * 3
CHECKPOINTS = 2  # matcher.safetensors and untrained.safetensors
INDEX = "index of entities"
USERS = "rerank, evaluate"  # of the trained matcher's index; the first of them builds it


def plan_matching(at: Places, file: ParamsFile, encoder: Encoder, encoding: Encoding) -> list[Step]:
    """Plans training and every index.

    Raises:
        ConfigError: if the matcher of params.yaml can't be built on features of this encoder.
    """
    padded = file.section(EncodeParams).keep_padding
    widths = FeatureWidths(*encoder.text_widths, *encoder.image_widths, encoder.joint, padded)
    spec, params = spec_from_params(file, widths), file.section(TrainParams)
    device = resolve_device(file.section(RuntimeParams).device)
    matcher = build_matcher(spec, params.seed).to(device)
    bench = Bench(matcher, encoding, device)
    num = len(read_records(at.entities, Entity))
    size, seconds = bench.index_bytes(num), num * bench.index_seconds()
    # What depends on the batch is put into the records' order once it is there.
    has_order = matcher.encoding_batch is not None
    more = size if has_order else 0
    trained = all(step.state == DONE for step in encoding.steps) and _is_trained(at, spec, file)
    if trained:
        kept = bytes_under(at.model)
        planned = [Step("train", kept_bytes=kept, seconds=0.0, state=DONE)]
    else:
        mentions = read_records(at.mentions, Mention)
        steps, epochs = schedule(mentions, params)
        golds = [m.gold_qid for m in mentions if m.gold_qid and m.in_kb and m.split == "train"]
        ranked = min(num, MOST_ENTITIES)
        step_seconds = bench.step_seconds(golds, num, params, file.section(LossParams))
        planned = [
            _training(matcher, steps * epochs, step_seconds),
            # While one is written, that of the epoch before is still there.
            Step(
                *("train", f"{INDEX}, every epoch", (epochs + 1) * ranked),
                passing_bytes=(1 + has_order + bool(epochs)) * bench.index_bytes(ranked),
                seconds=(epochs + 1) * ranked / max(1, num) * seconds,
            ),
            Step("train", "mined negatives, ranks of held-out mentions"),
        ]
    found = at.index / "matcher"
    if trained and (found / "manifest.json").is_file():
        kept = bytes_under(found)
        planned.append(Step(USERS, INDEX, num, kept_bytes=kept, seconds=0.0, state=DONE))
    else:
        planned.append(Step(USERS, INDEX, num, size, more, seconds))
    if file.section(EvaluateParams).untrained and not (trained and at.ranks.is_file()):
        planned.append(
            Step(
                *("evaluate", f"{INDEX}, untrained", num),
                passing_bytes=size + more,
                seconds=seconds,
            )
        )
    return planned


def _training(matcher: Matcher, num_steps: int, step_seconds: float | None) -> Step:
    weights = sum(value.nbytes for value in matcher.state_dict().values())
    too_large = "a group of train.group_size mentions is too large to be timed"
    return Step(
        *("train", "steps, at most", num_steps),
        kept_bytes=CHECKPOINTS * weights,
        passing_bytes=COPIES_IN_TRAINING * weights,
        seconds=None if step_seconds is None else num_steps * step_seconds,
        note=too_large if step_seconds is None else "",
    )


def schedule(mentions: Sequence[Mention], params: TrainParams) -> tuple[int, int]:
    """Steps of an epoch, and epochs, if training does not stop early."""
    num = sum(mention.split == "train" and mention.in_kb for mention in mentions)
    num = max(1, round(params.fraction * num))
    num -= min(int(params.held_out * num), MOST_HELD_OUT)
    steps = math.ceil(num / params.batch_size)
    if not params.max_epochs:
        return steps, 0
    return steps, max(params.max_epochs, math.ceil(params.min_steps / steps))


def _is_trained(at: Places, spec: MatcherSpec, file: ParamsFile) -> bool:
    """Whether a matcher lies there that was trained with these parameters."""
    history = at.model / "history.json"
    if not history.is_file():
        return False
    sections = (spec.model, spec.own, file.section(LossParams), file.section(TrainParams))
    wanted = {section.SECTION: section.model_dump(mode="json") for section in sections}
    try:
        return bool(read_sealed_json(history).get("config") == wanted)
    except DataError:  # of another version, or damaged: it will be made again
        return False
