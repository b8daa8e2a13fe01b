"""Small matchers of any configuration and random features for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from hypothesis import strategies as st
from torch import Tensor

from mmoe.config.model import ModelParams
from mmoe.config.moe import MoeParams
from mmoe.linking.index import EntityIndex
from mmoe.linking.ranking import rank_mentions
from mmoe.model.features import FeatureWidths, SideFeatures
from mmoe.model.matcher import OVERALL, Matcher, MatcherSpec
from mmoe.model.matchers.mmoe import MMoE
from mmoe.model.packed import Packed

WIDTHS = FeatureWidths(text=9, text_pooled=6, image=7, image_pooled=6, joint=True)
TEXT_ONLY = FeatureWidths(text=9, text_pooled=6, image=0, image_pooled=0, joint=False)
MODEL = {
    "name": "mmoe",
    "units": ("text", "vision", "cross"),
    "embed_dim": 5,
    "residual": True,
    "dropout": 0.0,
}
MOE = {
    "num_experts": 3,
    "top_k": 2,
    "expansion": 2,
    "num_layers": 1,
    "fusion_layers": 1,
    "renormalise": False,
}


def model_params(**changes: Any) -> ModelParams:
    """Section `model` with some keys changed."""
    return ModelParams.model_validate({**MODEL, **changes})


def moe_params(**changes: Any) -> MoeParams:
    """Section `moe` with some keys changed."""
    return MoeParams.model_validate({**MOE, **changes})


def random_matcher(widths: FeatureWidths = WIDTHS, seed: int = 0, **changes: Any) -> MMoE:
    """A matcher whose every weight is random, those that start at 0 or 1 included."""
    moe = {key: value for key, value in changes.items() if key in MOE}
    model = {key: value for key, value in changes.items() if key not in MOE}
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(seed)
        matcher = MMoE(MatcherSpec(widths, model_params(**model), moe_params(**moe))).eval()
        for parameter in matcher.parameters():
            parameter.add_(0.3 * torch.randn(parameter.shape))
    return matcher


def random_side(
    lengths: Sequence[int],
    patches: Sequence[int] | None = None,
    widths: FeatureWidths = WIDTHS,
    seed: int = 0,
) -> SideFeatures:
    """Random features of len(lengths) rows.

    Args:
        lengths: text tokens of each row.
        patches: patches of each row, 0 for a missing image; None where there are no images at all.
    """
    generator = torch.Generator().manual_seed(seed)

    def randn(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator)

    rows = len(lengths)
    text = Packed(randn(sum(lengths), widths.text), torch.tensor(lengths))
    pooled, name = randn(rows, widths.text_pooled), randn(rows, widths.text_pooled)
    if patches is None:
        return SideFeatures(text, pooled, name)
    counts = torch.tensor(patches)
    image = Packed(randn(int(counts.clamp(min=1).sum()), widths.image), counts.clamp(min=1))
    return SideFeatures(text, pooled, name, image, randn(rows, widths.image_pooled), counts > 0)


def scores_of(
    matcher: Matcher, mentions: SideFeatures, entities: SideFeatures
) -> dict[str, Tensor]:
    """All pairs' scores."""
    with torch.no_grad():
        scores: dict[str, Tensor] = matcher(mentions, entities)
    return scores


def assert_bounds_rank_as_brute_force(
    matcher: Matcher, mentions: SideFeatures, entities: SideFeatures, gold: Tensor
) -> None:
    """Every score lies within its bounds, and both engines give equal ranks and equal best entities."""
    index = EntityIndex.build(matcher, [entities])
    with torch.no_grad():
        low, high = index.bounds(matcher.encode_mentions(mentions))
    scores = scores_of(matcher, mentions, entities)[OVERALL]
    slack = 1e-5 * torch.maximum(low.abs(), high.abs()).amax(dim=1, keepdim=True)
    assert (low - slack <= scores).all()
    assert (scores <= high + slack).all()
    bounds, brute = (
        rank_mentions(index, [mentions], gold, engine=engine, top_n=3)
        for engine in ("bounds", "brute")
    )
    assert bounds.ranks.pessimistic.tolist() == brute.ranks.pessimistic.tolist()
    assert bounds.ranks.optimistic.tolist() == brute.ranks.optimistic.tolist()
    assert bounds.best.top_Bn.tolist() == brute.best.top_Bn.tolist()


def take(features: SideFeatures, rows: Sequence[int]) -> SideFeatures:
    """Some rows of a batch, repeats allowed."""
    at = torch.tensor(rows, dtype=torch.int64)
    text, pooled = features.text.select(at), features.text_pooled_BP[at]
    if features.image is None:
        return SideFeatures(text, pooled, features.name_pooled_BP[at])
    assert features.image_pooled_BP is not None
    assert features.has_image_B is not None
    return SideFeatures(
        text,
        pooled,
        features.name_pooled_BP[at],
        features.image.select(at),
        features.image_pooled_BP[at],
        features.has_image_B[at],
    )


@st.composite
def sides(draw: st.DrawFn, max_rows: int = 4, *, images: bool = True) -> SideFeatures:
    """1 to max_rows rows with 1 to 5 tokens and 0 to 3 patches each."""
    rows = draw(st.integers(1, max_rows))
    lengths = draw(st.lists(st.integers(1, 5), min_size=rows, max_size=rows))
    patches = draw(st.lists(st.integers(0, 3), min_size=rows, max_size=rows))
    seed = draw(st.integers(0, 2**20))
    if images:
        return random_side(lengths, patches, seed=seed)
    return random_side(lengths, widths=TEXT_ONLY, seed=seed)
