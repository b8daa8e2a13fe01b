"""The matcher equals eq. 3-8 written out for one pair, in every configuration, with and without images."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from mmoe.model.encoded import select
from mmoe.model.features import SideFeatures
from mmoe.model.matcher import Matcher
from mmoe.model.matchers.mmoe import MMoE

from tests.model.matchers import (
    TEXT_ONLY,
    WIDTHS,
    model_params,
    random_matcher,
    random_side,
    scores_of,
    sides,
    take,
)
from tests.oracles import score_table

UNITS = [units for n in (1, 2, 3) for units in combinations(("text", "vision", "cross"), n)]
MENTIONS = random_side([3, 1], [2, 0], seed=1)
ENTITIES = random_side([2, 4, 1], [0, 3, 1], seed=2)


def assert_scores_equal(found: dict[str, Tensor], wanted: dict[str, Tensor]) -> None:
    """Equal but for float32's last digits."""
    assert list(found) == list(wanted)
    for name, table in found.items():
        torch.testing.assert_close(table.double(), wanted[name].double(), rtol=1e-5, atol=3e-5)


@pytest.mark.parametrize("units", UNITS, ids="-".join)
@pytest.mark.parametrize("residual", [True, False])
def test_every_choice_of_units_equals_the_formula(units: tuple[str, ...], residual: bool) -> None:
    matcher = random_matcher(units=units, residual=residual)
    assert_scores_equal(
        scores_of(matcher, MENTIONS, ENTITIES), score_table(matcher, MENTIONS, ENTITIES)
    )


@given(
    sides(2),
    sides(3),
    st.fixed_dictionaries(
        {
            "residual": st.booleans(),
            "num_layers": st.integers(1, 2),
            "fusion_layers": st.integers(0, 2),
            "top_k": st.integers(1, 3),
            "renormalise": st.booleans(),
            "expansion": st.integers(1, 2),
        }
    ),
    st.integers(0, 2**20),
)
@settings(deadline=None, max_examples=25)
def test_every_knob_keeps_to_the_formula(
    mentions: SideFeatures, entities: SideFeatures, knobs: dict[str, Any], seed: int
) -> None:
    matcher = random_matcher(seed=seed, **knobs)
    assert_scores_equal(
        scores_of(matcher, mentions, entities), score_table(matcher, mentions, entities)
    )


def test_a_text_only_store_equals_the_formula() -> None:
    matcher = random_matcher(TEXT_ONLY, units=["text"])
    mentions = random_side([2, 5], widths=TEXT_ONLY, seed=1)
    entities = random_side([1, 3], widths=TEXT_ONLY, seed=2)
    assert_scores_equal(
        scores_of(matcher, mentions, entities), score_table(matcher, mentions, entities)
    )


@given(sides(4), sides(5), st.integers(0, 2**20))
@settings(deadline=None, max_examples=25)
def test_a_pair_alone_scores_as_in_a_batch(
    mentions: SideFeatures, entities: SideFeatures, seed: int
) -> None:
    matcher = random_matcher(seed=seed)
    together = scores_of(matcher, mentions, entities)
    for i in range(len(mentions)):
        for j in range(len(entities)):
            alone = scores_of(matcher, take(mentions, [i]), take(entities, [j]))
            assert_scores_equal(alone, {n: s[i : i + 1, j : j + 1] for n, s in together.items()})


def test_what_stands_in_for_a_missing_image_does_not_matter() -> None:
    matcher = random_matcher()
    mentions = random_side([3, 1], [2, 0], seed=1)
    before = scores_of(matcher, mentions, ENTITIES)
    assert mentions.image is not None
    assert mentions.image_pooled_BP is not None
    mentions.image.values_TC[2:] = 99.0
    mentions.image_pooled_BP[1:] = -99.0
    after = scores_of(matcher, mentions, ENTITIES)
    for name in before:
        torch.testing.assert_close(before[name], after[name])


@pytest.mark.parametrize("by_default", [False, True])
def test_a_mentions_own_entities_score_as_in_the_table_of_all_pairs(by_default: bool) -> None:
    matcher = random_matcher()
    table = scores_of(matcher, MENTIONS, ENTITIES)
    own = torch.tensor([[1, 1, 2], [0, 2, 1]])
    method = Matcher.scores_of_own if by_default else MMoE.scores_of_own
    with torch.no_grad():
        entities = select(matcher.encode_entities(ENTITIES), own.flatten())
        found = method(matcher, matcher.encode_mentions(MENTIONS), entities)
    assert_scores_equal(found, {name: scores.gather(1, own) for name, scores in table.items()})


def test_every_weight_gets_a_gradient() -> None:
    matcher = random_matcher(num_layers=2, top_k=3).train()
    scores = matcher(MENTIONS, ENTITIES)["overall"]
    (scores * torch.arange(1.0, 7.0).view(2, 3).sin()).sum().backward()
    # A key's bias shifts all of a query's logits alike, which softmax does not see; no text is missing.
    silent = {"key.bias", "text_residual.missing", "name_residual.missing"}
    for name, parameter in matcher.named_parameters():
        assert parameter.grad is not None, name
        moves = float(parameter.grad.abs().max()) > 1e-6
        assert moves != any(name.endswith(f".{part}") for part in silent), name


def test_calibration_sets_a_missing_image_to_the_mean_of_unrelated_pairs() -> None:
    matcher = random_matcher()
    matcher.calibrate(MENTIONS, ENTITIES)
    unit: Any = matcher.unit("vision")
    assert MENTIONS.image_pooled_BP is not None
    assert ENTITIES.image_pooled_BP is not None
    with_image = [
        torch.cosine_similarity(MENTIONS.image_pooled_BP[0], ENTITIES.image_pooled_BP[j], dim=0)
        for j in (1, 2)
    ]
    torch.testing.assert_close(unit.image_residual.missing, torch.stack(with_image).mean())
    texts = [
        torch.cosine_similarity(MENTIONS.text_pooled_BP[i], ENTITIES.image_pooled_BP[j], dim=0)
        for i in (0, 1)
        for j in (1, 2)
    ]
    cross: Any = matcher.unit("cross")
    torch.testing.assert_close(cross.text_image_residual.missing, torch.stack(texts).mean())
    others = [
        torch.cosine_similarity(MENTIONS.image_pooled_BP[0], ENTITIES.text_pooled_BP[j], dim=0)
        for j in (0, 1, 2)
    ]
    torch.testing.assert_close(cross.image_text_residual.missing, torch.stack(others).mean())


def test_without_a_joint_space_text_and_image_are_not_compared() -> None:
    apart = type(WIDTHS)(**{**vars(WIDTHS), "joint": False})
    unit: Any = random_matcher(apart).unit("cross")
    assert unit.text_image_residual is None
    assert unit.image_text_residual is None


@pytest.mark.parametrize("units", [("vision",), ("text", "cross")])
def test_units_that_need_images_name_the_knob(units: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=r"model\.units = \[.*\]: (vision|cross) need images"):
        random_matcher(TEXT_ONLY, units=units)


def test_expert_load_is_shares_of_the_routed_tokens_and_starts_anew() -> None:
    matcher = random_matcher(num_layers=2).train()
    matcher(MENTIONS, ENTITIES)
    load = matcher.take_expert_load()
    assert sorted(load) == [f"{unit}-{n}" for unit in ("cross", "text", "vision") for n in (1, 2)]
    for shares in load.values():
        assert sum(shares) == pytest.approx(1)
    assert matcher.take_expert_load() == {}


def test_expert_load_counts_nothing_outside_training() -> None:
    matcher = random_matcher()
    scores_of(matcher, MENTIONS, ENTITIES)
    assert matcher.take_expert_load() == {}


def test_units_may_not_repeat() -> None:
    with pytest.raises(ValueError, match=r"each unit may stand only once"):
        model_params(units=["text", "text"])


def test_dropout_draws_while_training_only() -> None:
    matcher = random_matcher(dropout=0.5)

    def score() -> Tensor:
        overall: Tensor = matcher(MENTIONS, ENTITIES)["overall"]
        return overall

    assert torch.equal(score(), score())
    matcher.train()
    assert not torch.equal(score(), score())
