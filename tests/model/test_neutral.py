"""A pair that lacks an image gets the same from each unit that needs one, whatever the entity."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from mmoe.model.features import SideFeatures
from mmoe.model.matcher import SumOfUnits

from tests.model import test_published_matchers as published
from tests.model.matchers import random_matcher, random_side, scores_of, sides, take

NAMES = ("mmoe", *published.NAMES)


def matcher_of(name: str, seed: int = 0) -> SumOfUnits:
    """Without residual similarities, which need one image and have a constant each."""
    if name == "mmoe":
        return random_matcher(seed=seed, residual=False)
    return published.random_matcher(name, seed)


def both(mentions: SideFeatures, entities: SideFeatures) -> Tensor:
    """bool [B, N]: which pairs have both images."""
    assert mentions.has_image_B is not None
    assert entities.has_image_B is not None
    return mentions.has_image_B[:, None] & entities.has_image_B


@pytest.mark.parametrize("name", NAMES)
@given(sides(4), sides(5), st.integers(0, 2**20))
@settings(deadline=None, max_examples=20)
def test_all_pairs_that_lack_an_image_get_one_constant(
    name: str, mentions: SideFeatures, entities: SideFeatures, seed: int
) -> None:
    scores = scores_of(matcher_of(name, seed), mentions, entities)
    # Two more pairs without images, in another batch.
    bare = random_side([2, 3], [0, 0], seed=seed)
    alone = scores_of(matcher_of(name, seed), take(bare, [0]), take(bare, [1]))
    for unit in ("vision", "cross"):
        neutral = scores[unit][~both(mentions, entities)]
        torch.testing.assert_close(neutral, alone[unit].expand_as(neutral[None])[0])


@pytest.mark.parametrize("name", NAMES)
def test_the_constant_starts_at_the_mean_of_pairs_that_have_both_images(name: str) -> None:
    mentions, entities = random_side([2, 1, 3], [2, 0, 1]), random_side([1, 2], [3, 1], seed=1)
    matcher = matcher_of(name)
    matcher.calibrate(mentions, entities)
    scores = scores_of(matcher, mentions, entities)
    for unit in ("vision", "cross"):
        known = both(mentions, entities)
        torch.testing.assert_close(scores[unit][~known].mean(), scores[unit][known].mean())
