"""M3EL and MIMIC in their mended form; tests/model/test_released_variants.py has the published one."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mmoe.config.m3el import M3elParams
from mmoe.config.mimic import MimicParams
from mmoe.config.model import ModelParams
from mmoe.linking.index import EntityIndex
from mmoe.linking.ranking import rank_mentions
from mmoe.model.contrastive import contrastive_loss
from mmoe.model.features import FeatureWidths, SideFeatures
from mmoe.model.losses import LossBatch
from mmoe.model.matcher import MatcherSpec, SumOfUnits
from mmoe.model.matchers.m3el import M3el
from mmoe.model.matchers.mimic import Mimic

from tests.model.matchers import (
    WIDTHS,
    assert_bounds_rank_as_brute_force,
    random_side,
    scores_of,
    sides,
    take,
)

CLIP = FeatureWidths(text=512, text_pooled=512, image=768, image_pooled=512, joint=True)


def build(name: str, widths: FeatureWidths, **model: Any) -> SumOfUnits:
    """mimic, or m3el with its directions: `m3el one_way`."""
    kind, _, directions = name.partition(" ")
    params = ModelParams.model_validate({"name": kind, "embed_dim": 5, **model})
    if kind == "mimic":
        return Mimic(MatcherSpec(widths, params, MimicParams())).eval()
    own = M3elParams.model_validate({"directions": directions})
    return M3el(MatcherSpec(widths, params, own)).eval()


NAMES = ("mimic", "m3el one_way", "m3el both_ways")


def random_matcher(name: str, seed: int = 0, **model: Any) -> SumOfUnits:
    """Every weight is random, those that start at 0 or 1 included."""
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(seed)
        matcher = build(name, WIDTHS, **model)
        for parameter in matcher.parameters():
            parameter.add_(0.3 * torch.randn(parameter.shape))
    return matcher


ADAPTER = {"text_adapter.weight", "text_adapter.bias"}


def test_a_contrastive_loss_without_another_sample_is_zero() -> None:
    """Nor are rows of one entity negatives of each other."""
    vectors = torch.randn(3, 4)
    loss = contrastive_loss(
        vectors, vectors.flip(1), torch.tensor([7, 7, 7]), temperature=0.03, own_side=0.8
    )
    assert float(loss) == pytest.approx(0, abs=1e-6)


def test_the_contrastive_term_trains_adapter_and_projection_and_copes_without_images() -> None:
    matcher = random_matcher("m3el one_way").train()
    for patches, projected in (([2, 1, 0], True), ([0, 0, 0], False)):
        matcher.zero_grad()
        ours, theirs = random_side([2, 3, 1], patches), random_side([1, 1, 2], [1, 1, 1], seed=1)
        gold = torch.tensor([4, 5, 6])
        batch = LossBatch({}, gold, gold[:, None] > 0, ours, partial(take, theirs, range(3)), gold)
        loss = matcher.loss_terms()["contrastive"](batch)
        loss.backward()  # type: ignore[no-untyped-call]
        grads = {
            name for name, parameter in matcher.named_parameters() if parameter.grad is not None
        }
        stem = {"image_stem.coarse.weight", "image_stem.coarse.bias"} if projected else set()
        assert grads == ADAPTER | stem


# Parameters that the releases hold and nothing goes through, or that are not trained.
MIMIC_UNUSED = 2 * 96
LOSS_LAYERS = 2 * (96 * 96 + 96)
HEADS = 5


def num_parameters(matcher: SumOfUnits, unit: str) -> int:
    named = matcher.unit(unit).named_parameters()
    return sum(parameter.numel() for name, parameter in named if name != "missing.value")


def test_mimics_units_have_as_many_parameters_as_the_release() -> None:
    """METHOD: text 197,184, vision 56,834, cross 59,041; with the LayerNorms of the inputs 315,491."""
    matcher = build("mimic", CLIP, embed_dim=96)
    found = [num_parameters(matcher, unit) for unit in ("text", "vision", "cross")]
    assert found == [197_184, 56_834, 59_041 - MIMIC_UNUSED]
    assert sum(found) + MIMIC_UNUSED + 2 * 2 * (512 + 96) == 315_491


@pytest.mark.parametrize(
    ("directions", "cross", "losses"), [("one_way", 96_102, 1), ("both_ways", 105_414, 2)]
)
def test_m3els_units_have_as_many_parameters_as_the_release(
    directions: str, cross: int, losses: int
) -> None:
    matcher = build(f"m3el {directions}", CLIP, embed_dim=96)
    found = [num_parameters(matcher, unit) for unit in ("text", "vision", "cross")]
    assert found == [197_184, 37_440, cross - HEADS - losses * LOSS_LAYERS]


@pytest.mark.parametrize("name", NAMES)
@given(sides(4), sides(5), st.integers(0, 2**20))
@settings(deadline=None, max_examples=8)
def test_a_pair_alone_scores_as_in_a_batch(
    name: str, mentions: SideFeatures, entities: SideFeatures, seed: int
) -> None:
    """Neither padding nor what else is in the batch counts."""
    matcher = random_matcher(name, seed)
    together = scores_of(matcher, mentions, entities)
    for i in range(len(mentions)):
        for j in range(len(entities)):
            alone = scores_of(matcher, take(mentions, [i]), take(entities, [j]))
            for unit, table in together.items():
                torch.testing.assert_close(alone[unit][0, 0], table[i, j], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", NAMES)
@given(sides(4), sides(5), st.integers(0, 2**20))
@settings(deadline=None, max_examples=8)
def test_pairs_that_lack_an_image_get_one_constant(
    name: str, mentions: SideFeatures, entities: SideFeatures, seed: int
) -> None:
    scores = scores_of(random_matcher(name, seed), mentions, entities)
    assert mentions.has_image_B is not None
    assert entities.has_image_B is not None
    lacks = ~(mentions.has_image_B[:, None] & entities.has_image_B)
    for unit in ("vision", "cross"):
        values = scores[unit][lacks]
        assert (values == values[:1]).all()


@pytest.mark.parametrize("name", NAMES)
@given(sides(3), sides(6), st.integers(0, 2**20), st.data())
@settings(deadline=None, max_examples=8)
def test_single_pairs_score_as_all_pairs(
    name: str, mentions: SideFeatures, entities: SideFeatures, seed: int, data: st.DataObject
) -> None:
    matcher = random_matcher(name, seed)
    table = scores_of(matcher, mentions, entities)
    column = st.integers(0, len(entities) - 1)
    own = data.draw(st.lists(column, min_size=2 * len(mentions), max_size=2 * len(mentions)))
    with torch.no_grad():
        found = matcher.scores_of_own(
            matcher.encode_mentions(mentions), matcher.encode_entities(take(entities, own))
        )
    for unit, scores in table.items():
        wanted = scores.gather(1, torch.tensor(own).view(len(mentions), 2))
        torch.testing.assert_close(found[unit], wanted, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", NAMES)
@given(sides(4), sides(12), st.integers(0, 2**20), st.data())
@settings(deadline=None, max_examples=12)
def test_bounds_hold_and_rank_as_brute_force(
    name: str, mentions: SideFeatures, entities: SideFeatures, seed: int, data: st.DataObject
) -> None:
    matcher = random_matcher(name, seed)
    row = st.integers(0, len(entities) - 1)
    gold = torch.tensor(data.draw(st.lists(row, min_size=len(mentions), max_size=len(mentions))))
    assert_bounds_rank_as_brute_force(matcher, mentions, entities, gold)


@pytest.mark.parametrize("name", ["mimic", "m3el one_way"])
def test_bounds_settle_most_pairs(name: str) -> None:
    matcher = random_matcher(name, units=["text"])
    mentions, entities = random_side([4] * 5, [0] * 5, seed=1), random_side([3] * 200, [0] * 200)
    index, gold = EntityIndex.build(matcher, [entities]), torch.tensor([3, 50, 100, 150, 199])
    bounds, brute = (
        rank_mentions(index, [mentions], gold, engine=engine) for engine in ("bounds", "brute")
    )
    assert bounds.num_scored < brute.num_scored / 2
