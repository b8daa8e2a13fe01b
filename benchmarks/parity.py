"""What published implementations of MMoE, M3EL and MIMIC compute, against what we compute.

usage  python -m benchmarks.parity FILE [FILE …]

FILE holds a salt, sizes, the names and shapes of released checkpoints' tensors, and the scores that the
published code gives with them; the numbers that it starts from are a formula of the salt and their name.
Prints the largest difference of each table in units of the table's largest absolute value, and exits with 1
if one is beyond 1e-4 or not finite. We compute in float64 here: what is left is the other side's rounding.
"""

from __future__ import annotations

import json
import math
import sys
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mmoe.config.m3el import M3elParams
from mmoe.config.mimic import MimicParams
from mmoe.config.mmoe_released import MmoeReleasedParams
from mmoe.config.model import ModelParams
from mmoe.config.section import Section
from mmoe.model.features import SideFeatures
from mmoe.model.losses import LossBatch
from mmoe.model.matcher import OVERALL, Matcher, MatcherSpec
from mmoe.model.packed import Packed
from mmoe.model.registry import build_matcher
from mmoe.model.released_names import load_release, released_widths

TOLERANCE = 1e-4
UNITS = ("text", "vision", "cross")
CONTRASTIVE = "contrastive_loss_first_six_entities"


def main(paths: Sequence[str]) -> int:
    if not paths:
        print(__doc__)
        return 2
    worst = 0.0
    for path in paths:
        for table, difference in differences(json.loads(Path(path).read_text(encoding="utf-8"))):
            print(f"{table:40} {difference:.2e}")
            worst = max(worst, difference if math.isfinite(difference) else math.inf)
    return int(worst > TOLERANCE)


def differences(
    content: Mapping[str, Any], dtype: torch.dtype = torch.float64
) -> Iterator[tuple[str, float]]:
    """Every table of a file by its name, and our largest difference from it, computing in `dtype`."""
    for name, release in content["releases"].items():
        state = {
            n: by_formula(content["salt"], n, shape).to(dtype)
            for n, shape in release["state"].items()
        }
        sides = side(content, "mention", state), side(content, "entity", state)
        if name != "m3el":
            matcher = released_matcher(name, state)
            yield from _tables(name, matcher, *sides, release)
            continue
        for directions in ("one_way", "both_ways"):
            matcher = released_matcher(name, state, directions)
            label = f"{name} {directions}"
            yield from _tables(label, matcher, *sides, release[directions])
        found = _contrastive(matcher, sides[0], first_rows(sides[1], len(sides[0])))
        yield f"{name} contrastive loss", _difference(found, release[CONTRASTIVE])


def released_matcher(
    name: str, state: Mapping[str, Tensor], directions: str = "one_way"
) -> Matcher:
    """The matcher of a release with a checkpoint's weights; sizes are read off these."""
    widths, embed_dim = released_widths(state)
    own: Section = MmoeReleasedParams()
    if name == "mimic":
        own = MimicParams(variant="released")
    elif name == "m3el":
        own = M3elParams.model_validate({"variant": "released", "directions": directions})
    model = ModelParams(name="mmoe_released" if name == "mmoe" else name, embed_dim=embed_dim)
    matcher = build_matcher(MatcherSpec(widths, model, own)).eval()
    load_release(matcher, state)
    return matcher.to(state["encoder.image_cls_fc.bias"].dtype)


def side(content: Mapping[str, Any], name: str, state: Mapping[str, Tensor]) -> SideFeatures:
    """The mentions or the entities of a file; all have an image and nothing is padding."""
    sizes = content["sizes"]
    rows = sizes["mentions" if name == "mention" else "entities"]
    widths, dtype = released_widths(state)[0], state["encoder.image_cls_fc.bias"].dtype

    def given(part: str, *shape: int) -> Tensor:
        return by_formula(content["salt"], f"input.{name}_{part}", [rows, *shape]).to(dtype)

    texts = given("text_cls", widths.text)
    return SideFeatures(
        _packed(given("text_tokens", sizes["text_tokens"], widths.text)),
        texts,
        texts,
        _packed(given("image_patches", sizes["patches"], widths.image)),
        given("image_embeds", widths.image_pooled),
        torch.ones(rows, dtype=torch.bool),
    )


def first_rows(features: SideFeatures, count: int) -> SideFeatures:
    """The first rows of features with images."""
    rows = torch.arange(count)
    assert features.image is not None
    assert features.image_pooled_BP is not None
    assert features.has_image_B is not None
    return SideFeatures(
        features.text.select(rows),
        features.text_pooled_BP[rows],
        features.name_pooled_BP[rows],
        features.image.select(rows),
        features.image_pooled_BP[rows],
        features.has_image_B[rows],
    )


def by_formula(salt: str, name: str, shape: Sequence[int]) -> Tensor:
    """A weight or, by its name `input.…`, an input."""
    start = 1 + zlib.crc32(f"{salt}:{name}".encode()) % 10007
    index = torch.arange(math.prod(shape), dtype=torch.float64)
    wave = (start + 0.7390851 * index).sin().reshape(list(shape))
    if "layer_norm" in name or "layernorm" in name:
        wave = 1 + 0.1 * wave if name.endswith("weight") else 0.1 * wave
    elif not name.startswith("input."):
        wave = 1.5 * wave / math.sqrt(shape[1] if len(shape) == 2 else 10)
    return wave.float()


def _packed(tokens_BLC: Tensor) -> Packed:
    rows, length = tokens_BLC.shape[:2]
    return Packed(tokens_BLC.flatten(0, 1), torch.full((rows,), length))


@torch.inference_mode()
def _tables(
    label: str,
    matcher: Matcher,
    mentions: SideFeatures,
    entities: SideFeatures,
    figures: Mapping[str, Any],
) -> Iterator[tuple[str, float]]:
    ours, theirs = matcher.encode_mentions(mentions), matcher.encode_entities(entities)
    scores = matcher.scores(ours, theirs)
    wanted = figures["units"]
    tables = [(unit, scores[unit]) for unit in UNITS[: len(wanted)]]
    if len(wanted) == len(UNITS) + 1:  # one table for each direction of the cross unit
        dim = matcher.spec.model.embed_dim
        tables = [(unit, scores[unit]) for unit in UNITS[:2]]
        for i, direction in enumerate(("text to image", "image to text")):
            halves = [each["cross"].inner_BI[:, i * dim : (i + 1) * dim] for each in (ours, theirs)]
            tables.append((direction, halves[0] @ halves[1].T))
    for (unit, found), each in zip(tables, wanted, strict=True):
        yield f"{label} {unit}", _difference(found, each)
    yield f"{label} {OVERALL}", _difference(scores[OVERALL], figures["overall"])


@torch.inference_mode()
def _contrastive(matcher: Matcher, mentions: SideFeatures, golds: SideFeatures) -> Tensor:
    each = torch.arange(len(mentions))
    batch = LossBatch({}, each, torch.empty(0), mentions, lambda: golds, each)
    return matcher.loss_terms()["contrastive"](batch)


def _difference(found: Tensor, wanted: Any) -> float:
    table = torch.tensor(wanted)
    if found.shape != table.shape:
        return math.inf
    return float((found - table).abs().max() / table.abs().max())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
