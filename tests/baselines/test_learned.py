"""Learned weights: the optimum of the listwise loss, and what they are for."""

from __future__ import annotations

import numpy as np
import pytest

from mmoe.baselines.cosine import CosineTerms, Vectors
from mmoe.baselines.encoder import SideVectors, learned_ranks
from mmoe.baselines.learned import RIDGE, fit_weights


def unit_vectors(rows: int, seed: int) -> Vectors:
    return Vectors(np.random.default_rng(seed).normal(size=(rows, 6)))


def near(entities: Vectors, gold: np.ndarray, noise: float, seed: int) -> Vectors:
    """Vectors of mentions that lie around those of their gold entities."""
    drawn = np.random.default_rng(seed).normal(size=(len(gold), 6))
    return Vectors(entities.values_NP[gold] + noise * drawn)


GOLD = np.random.default_rng(0).integers(0, 12, 80)
TEXTS, NAMES = unit_vectors(12, 1), unit_vectors(12, 2)


def test_the_weights_minimise_the_cross_entropy_over_all_other_entities() -> None:
    """With fewer entities than are mined, each list is the whole knowledge base."""
    mentions = [(near(TEXTS, GOLD, 1.0, 3), TEXTS), (near(NAMES, GOLD, 2.0, 4), NAMES)]
    terms = CosineTerms(mentions)
    every_FMN = np.stack(list(terms.each(slice(None)))).astype(np.float64)

    def loss(weights: np.ndarray) -> float:
        scores = np.einsum("f,fmn->mn", weights, every_FMN)
        gold = scores[np.arange(len(GOLD)), GOLD]
        shares = np.log(np.exp(scores).sum(axis=1)) - gold
        return float(shares.mean() + RIDGE * weights @ weights)

    found = fit_weights(terms, GOLD)
    for step in ([0.05, 0], [-0.05, 0], [0, 0.05], [0, -0.05]):
        assert loss(found) < loss(found + np.array(step))


def test_a_term_that_says_nothing_gets_next_to_no_weight() -> None:
    terms = CosineTerms([(near(TEXTS, GOLD, 1.0, 3), TEXTS), (unit_vectors(80, 5), NAMES)])
    telling, silent = fit_weights(terms, GOLD)
    assert abs(silent) < telling / 5


def test_a_lone_entity_can_be_fitted() -> None:
    only = Vectors(np.ones((1, 6)))
    weights = fit_weights(CosineTerms([(unit_vectors(3, 1), only)]), np.zeros(3, dtype=np.int64))
    assert np.isfinite(weights).all()


@pytest.mark.parametrize("images", [True, False])
def test_learned_weights_beat_the_plain_sum_where_a_term_misleads(images: bool) -> None:
    def side(texts: Vectors, names: Vectors, image: Vectors) -> SideVectors:
        return SideVectors(texts, names, image if images else None)

    other = np.roll(np.arange(12), 1)  # each mention is called like another entity
    theirs = side(TEXTS, NAMES, unit_vectors(12, 6))
    train = side(near(TEXTS, GOLD, 0.8, 3), near(NAMES, other[GOLD], 0.1, 4), unit_vectors(80, 7))
    test = side(near(TEXTS, GOLD, 0.8, 13), near(NAMES, other[GOLD], 0.1, 14), unit_vectors(80, 8))
    plain = CosineTerms([(test.text, theirs.text), (test.name, theirs.name)]).score(slice(None))
    learned = learned_ranks(train, GOLD, test, theirs, GOLD)
    right = (learned.pessimistic == 1).mean()
    assert right > (plain.argmax(axis=1) == GOLD).mean() + 0.2
