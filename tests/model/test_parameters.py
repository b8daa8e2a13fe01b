"""Parameter counts against the released architecture's, every difference by name (METHOD 1.9)."""

from __future__ import annotations

import pytest

from mmoe.model.features import FeatureWidths
from mmoe.model.matcher import MatcherSpec
from mmoe.model.matchers.mmoe import MMoE

from tests.model.matchers import model_params, moe_params

CLIP = FeatureWidths(text=512, text_pooled=512, image=768, image_pooled=512, joint=True)
DIM = 96

# What the release counts and we don't have: a LayerNorm on G in the text and in the vision unit.
NORM_ON_G = 2 * DIM
# What we have and the release doesn't, or doesn't count.
IMAGE_PROJECTIONS = (512 * DIM + DIM) + (768 * DIM + DIM)
MISSING_IMAGE = 2 * DIM
SECOND_GATE = DIM + 1  # the release's TVM and VTM share one gate; each of ours has its own


def num_parameters(**model: object) -> int:
    params = model_params(embed_dim=DIM, residual=False, cross_gate="scalar", **model)
    moe = moe_params(num_experts=4, top_k=3, expansion=4, fusion_layers=0)
    matcher = MMoE(MatcherSpec(CLIP, params, moe))
    return sum(parameter.numel() for parameter in matcher.parameters())


@pytest.mark.parametrize(
    ("units", "released"),
    [
        (("text", "vision", "cross"), 5_703_533),
        (("vision", "cross"), 684_041),
        (("text", "cross"), 5_378_185),
        (("text", "vision"), 5_347_272),
    ],
    ids=["full", "without text", "without vision", "without cross"],
)
def test_the_release_has_as_many_but_for_named_terms(units: tuple[str, ...], released: int) -> None:
    expected = released + IMAGE_PROJECTIONS + MISSING_IMAGE
    expected -= NORM_ON_G * len({"text", "vision"} & set(units))
    expected += SECOND_GATE * ("cross" in units)
    assert num_parameters(units=units) == expected


def test_what_the_release_does_not_have_is_counted_once_each() -> None:
    def count(**changes: object) -> int:
        base = {"units": ("text", "vision", "cross"), "residual": False, "cross_gate": "scalar"}
        moe = moe_params(num_experts=4, top_k=3, expansion=4, fusion_layers=0)
        spec = MatcherSpec(CLIP, model_params(embed_dim=DIM, **{**base, **changes}), moe)
        return sum(parameter.numel() for parameter in MMoE(spec).parameters())

    scale_and_constant = 2
    assert count(residual=True) - count() == 5 * scale_and_constant
    assert count() - count(cross_gate="elementwise") == 2 * SECOND_GATE


def test_no_buffer_counts_as_a_parameter() -> None:
    spec = MatcherSpec(CLIP, model_params(embed_dim=8), moe_params())
    buffers = dict(MMoE(spec).named_buffers())
    assert all(name.endswith("load_K") for name in buffers)
