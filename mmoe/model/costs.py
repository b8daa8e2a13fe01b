"""How large matchers are and what they compute, in the figures that papers give."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from mmoe.model.experts import SparseMixture
from mmoe.model.features import FeatureWidths, SideFeatures
from mmoe.model.matcher import Matcher
from mmoe.model.packed import Packed
from mmoe.model.released_mixture import ReleasedMixture

CLIP = {"text": 512, "text_pooled": 512, "image": 768, "image_pooled": 512}  # ViT-B/32
ROWS, TOKENS, PATCHES = 32, 50, 50  # of each side, as in MMoE's Table 6
# Table 6 leaves out what brings CLIP's images to the shared width: it counts that to the encoder.
ENCODERS = ("image_stem.coarse.", "image_stem.fine.")
PER_NORMED = 4  # multiply-accumulates for an entry of a LayerNorm, as the paper's counter has it


def clip_widths(*, padded: bool) -> FeatureWidths:
    """The feature widths of the papers' encoder."""
    return FeatureWidths(**CLIP, joint=True, padded=padded)


def num_parameters(matcher: Matcher) -> int:
    """Trainable parameters, without the projections of the encoder's images."""
    return sum(
        parameter.numel()
        for name, parameter in matcher.named_parameters()
        if parameter.requires_grad and not name.startswith(ENCODERS)
    )


def num_active(matcher: Matcher) -> int:
    """Those of them that a token goes through; published code runs all experts on every token."""
    idle = 0
    for layer in matcher.modules():
        if isinstance(layer, SparseMixture):
            each = sum(parameter.numel() for parameter in layer.experts.experts[0].parameters())
            idle += each * (len(layer.experts.experts) - layer.router.top_k)
    return num_parameters(matcher) - idle


@torch.no_grad()
def num_products(matcher: Matcher) -> int:
    """Multiply-accumulates of all matrix products that our code needs for 32 mentions and 32 entities."""
    sides = random_side(matcher, seed=0), random_side(matcher, seed=1)
    with FlopCounterMode(display=False) as counter:
        matcher.eval()(*sides)
    return int(counter.get_total_flops()) // 2


@torch.no_grad()
def table6_products(matcher: Matcher) -> int:
    """As MMoE's Table 6 counts for them: linear layers and LayerNorms, no product of attention.

    Every expert counts for every token, as the published code runs them.
    """
    sides = random_side(matcher, seed=0), random_side(matcher, seed=1)
    with _counted(matcher) as counts:
        matcher.eval()(*sides)
    return sum(counts)


@contextmanager
def _counted(matcher: Matcher) -> Iterator[list[int]]:
    counts: list[int] = []

    def linear(layer: Any, _: Any, out: Tensor) -> None:
        counts.append(out.numel() * layer.in_features)

    def norm(_: Any, __: Any, out: Tensor) -> None:
        counts.append(PER_NORMED * out.numel())

    def mixture(layer: Any, _: Any, out: Tensor) -> None:
        weights = [each.weight.numel() for each in layer.modules() if isinstance(each, nn.Linear)]
        counts.append(out.shape[0] * out.shape[1] * sum(weights))

    hooks = []
    for name, layer in matcher.named_modules():
        if ".mixture." in name or f"{name}.".startswith(ENCODERS):
            continue
        for kind, count in ((nn.Linear, linear), (nn.LayerNorm, norm), (ReleasedMixture, mixture)):
            if isinstance(layer, kind):
                hooks.append(layer.register_forward_hook(count))
    try:
        yield counts
    finally:
        for hook in hooks:
            hook.remove()


def random_side(matcher: Matcher, seed: int) -> SideFeatures:
    """32 rows of random features, each with 50 tokens and 50 patches."""
    widths, generator = matcher.spec.widths, torch.Generator().manual_seed(seed)

    def given(rows: int, width: int) -> Tensor:
        return torch.randn(rows, width, generator=generator)

    def packed(length: int, width: int) -> Packed:
        return Packed(given(ROWS * length, width), torch.full((ROWS,), length))

    pooled = given(ROWS, widths.text_pooled)
    return SideFeatures(
        packed(TOKENS, widths.text),
        pooled,
        pooled,
        packed(PATCHES, widths.image),
        given(ROWS, widths.image_pooled),
        torch.ones(ROWS, dtype=torch.bool),
    )
