"""MMoE, M3EL and MIMIC as published: their figures, their sizes, their padding; and exact ranks for them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mmoe.config.m3el import M3elParams
from mmoe.config.mimic import MimicParams
from mmoe.config.mmoe_released import MmoeReleasedParams
from mmoe.config.model import ModelParams
from mmoe.config.moe import MoeParams
from mmoe.config.section import Section
from mmoe.errors import ConfigError
from mmoe.model.costs import clip_widths, num_active, num_parameters, table6_products
from mmoe.model.features import FeatureWidths, SideFeatures
from mmoe.model.matcher import OVERALL, Matcher, MatcherSpec
from mmoe.model.registry import build_matcher
from mmoe.model.released_mixture import ReleasedMixture

from benchmarks import parity
from tests.model.matchers import assert_bounds_rank_as_brute_force, random_side, take

SMALL = FeatureWidths(text=9, text_pooled=9, image=7, image_pooled=6, joint=True, padded=True)
UNITS = ("text", "vision", "cross")
LENGTH = 6  # of padded texts; as many patches, which the cross unit of mmoe_released needs
OWN: dict[str, Section] = {
    "mmoe_released": MmoeReleasedParams(),
    "mmoe_released without SMoE": MmoeReleasedParams(smoe=False),
    "mimic": MimicParams(variant="released"),
    "m3el one_way": M3elParams(variant="released"),
    "m3el both_ways": M3elParams(variant="released", directions="both_ways"),
}


def build(name: str, widths: FeatureWidths, **model: Any) -> Matcher:
    params = ModelParams.model_validate({"name": name.split()[0], **model})
    return build_matcher(MatcherSpec(widths, params, OWN[name])).eval()


def random_matcher(name: str, seed: int = 0, trained: float = 0.3) -> Matcher:
    """Weights as they start, plus noise: of the size that training brings, or none."""
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(seed)
        matcher = build(name, SMALL, embed_dim=5)
        for parameter in matcher.parameters():
            if parameter.requires_grad:
                parameter.add_(trained * torch.randn(parameter.shape))
    return matcher


def padded_side(rows: int, seed: int) -> SideFeatures:
    """Random features, some images missing: the states that stand in for one are features like others."""
    generator = torch.Generator().manual_seed(seed)
    features = random_side([LENGTH] * rows, [LENGTH] * rows, SMALL, seed)
    has_image = torch.rand(rows, generator=generator) < 0.7
    return SideFeatures(**{**vars(features), "has_image_B": has_image})


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_scores_and_loss_are_those_of_the_releases(
    releases: dict[str, Any], dtype: torch.dtype
) -> None:
    found = dict(parity.differences(releases, dtype))
    assert len(found) == 4 + 4 + 5 + 1 + 4
    assert max(found.values()) <= parity.TOLERANCE


def test_parity_fails_on_other_figures(
    releases: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mimic = dict(releases["releases"]["mimic"])
    mimic["overall"] = [[value + 1 for value in row] for row in mimic["overall"]]
    file = tmp_path / "other.json"
    file.write_text(json.dumps({**releases, "releases": {"mimic": mimic}}))
    assert parity.main([str(file)]) == 1
    assert [line.split()[:2] for line in capsys.readouterr().out.splitlines()] == [
        ["mimic", unit] for unit in (*UNITS, OVERALL)
    ]


@pytest.mark.parametrize(
    ("name", "units", "parameters", "products"),
    [
        ("mmoe_released", UNITS, 5_703_341, "19.443"),
        ("mmoe_released", ("vision", "cross"), 683_849, "3.135"),
        ("mmoe_released", ("text", "cross"), 5_377_993, "18.435"),
        ("mmoe_released", ("text", "vision"), 5_347_272, "17.325"),
        ("mmoe_released without SMoE", UNITS, 295_905, "0.481"),
        ("mimic", UNITS, 315_491 - 192, None),  # a LayerNorm that nothing goes through
        # Heads that are not trained, and layers of losses that are not used.
        ("m3el one_way", UNITS, 197_184 + 37_440 + 96_102 + 2_432 - 5 - 18_624, None),
        ("m3el both_ways", UNITS, 197_184 + 37_440 + 105_414 + 2_432 - 5 - 2 * 18_624, None),
    ],
)
def test_sizes_and_costs_are_those_published(
    name: str, units: tuple[str, ...], parameters: int, products: str | None
) -> None:
    matcher = build(name, clip_widths(padded=True), units=units)
    assert num_parameters(matcher) == parameters
    if products is not None:
        assert f"{table6_products(matcher) / 1e9:.3f}" == products


def test_active_parameters_leave_out_the_experts_that_are_not_chosen() -> None:
    own = MoeParams(num_experts=6, top_k=2, expansion=4)
    params = ModelParams(name="mmoe", units=("text",))
    matcher = build_matcher(MatcherSpec(clip_widths(padded=False), params, own))
    expert = 512 * 2048 + 2048 + 2048 * 96 + 96
    assert num_parameters(matcher) - num_active(matcher) == 4 * expert


@pytest.mark.parametrize("name", OWN)
@pytest.mark.parametrize("trained", [0.0, 0.3])
@given(st.integers(0, 2**20), st.lists(st.integers(0, 11), min_size=4, max_size=4))
@settings(deadline=None, max_examples=8)
def test_bounds_hold_and_rank_as_brute_force(
    name: str, trained: float, seed: int, gold: list[int]
) -> None:
    matcher = random_matcher(name, seed, trained)
    mentions, entities = padded_side(4, seed), padded_side(12, seed + 1)
    assert_bounds_rank_as_brute_force(matcher, mentions, entities, torch.tensor(gold))


@pytest.mark.parametrize("name", OWN)
def test_a_missing_image_is_an_image_like_others(name: str) -> None:
    matcher = random_matcher(name)
    mentions, entities = padded_side(4, 1), padded_side(5, 2)
    everywhere = SideFeatures(**{**vars(mentions), "has_image_B": torch.ones(4, dtype=torch.bool)})
    assert not bool(mentions.has_image_B.all())  # type: ignore[union-attr]
    with torch.no_grad():
        found, wanted = matcher(mentions, entities), matcher(everywhere, entities)
    assert all(bool((found[unit] == wanted[unit]).all()) for unit in wanted)


@pytest.mark.parametrize("name", OWN)
def test_only_experts_make_a_score_depend_on_the_batch(name: str) -> None:
    matcher = random_matcher(name)
    mentions, entities = padded_side(3, 3), padded_side(5, 4)
    with torch.no_grad():
        together = matcher(mentions, entities)[OVERALL][:, :1]
        alone = matcher(mentions, take(entities, [0]))[OVERALL]
    depends = not torch.allclose(together, alone, rtol=1e-4, atol=1e-4)
    assert depends is (name == "mmoe_released")
    assert (matcher.encoding_batch is not None) is depends


def test_only_the_first_positions_and_experts_have_a_gate() -> None:
    """As a scatter along axis 1, which the published router does, has it."""
    matcher = random_matcher("mmoe_released")
    mixture = matcher.get_submodule("units.text.mixture")
    assert isinstance(mixture, ReleasedMixture)
    sequences = torch.randn(3, LENGTH + 1, 9)
    with torch.no_grad():
        probs = mixture.score(sequences).softmax(-1)
        chosen = probs.topk(3, dim=-1).indices
        kept = probs * torch.zeros_like(probs).scatter_(1, chosen, 1)
        dense = kept / (kept.sum(0, keepdim=True) + 1e-6) * 3
        wanted = sum(
            dense[..., j, None] * expert(sequences) for j, expert in enumerate(mixture.experts)
        )
        found = mixture(sequences, sequences)
    torch.testing.assert_close(found, wanted)
    assert not found[:, 4:].any()


@pytest.mark.parametrize(
    ("name", "params", "said"),
    [
        ("mmoe_released", MmoeReleasedParams(), "hold no padding; set encode.keep_padding: true"),
        ("mimic", MimicParams(variant="released"), "set encode.keep_padding: true"),
        ("m3el", M3elParams(variant="released"), "set encode.keep_padding: true"),
        ("mimic", MimicParams(), "hold their padding; set encode.keep_padding: false"),
        ("m3el", M3elParams(), "set encode.keep_padding: false"),
    ],
)
def test_features_of_the_other_kind_are_refused(name: str, params: Section, said: str) -> None:
    padded = said.endswith("false")
    widths = FeatureWidths(9, 9, 7, 6, joint=True, padded=padded)
    with pytest.raises(ConfigError, match=said):
        build_matcher(MatcherSpec(widths, ModelParams(name=name), params))


def test_the_cross_unit_says_how_long_texts_must_be() -> None:
    matcher = random_matcher("mmoe_released")
    with pytest.raises(ConfigError, match=r"encode\.max_text_length = 4: .* as patch states: 6"):
        matcher.encode_mentions(random_side([4, 4], [6, 6], SMALL))
