"""Learned weights: the optimum of the listwise loss, and what they are for."""

from __future__ import annotations

import numpy as np

from mmoe.baselines.cosine import CosineTerms, Vectors
from mmoe.baselines.learned import RIDGE, fit_weights, mined_lists


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
    mentions = {
        "text": (near(TEXTS, GOLD, 1.0, 3), TEXTS),
        "name": (near(NAMES, GOLD, 2.0, 4), NAMES),
    }
    terms = CosineTerms(mentions)
    every_FMN = terms.each(slice(None)).astype(np.float64)

    def loss(weights: np.ndarray) -> float:
        scores = np.einsum("f,fmn->mn", weights, every_FMN)
        gold = scores[np.arange(len(GOLD)), GOLD]
        shares = np.log(np.exp(scores).sum(axis=1)) - gold
        return float(shares.mean() + RIDGE * weights @ weights)

    found = fit_weights(mined_lists(terms, GOLD)[1])
    for step in ([0.05, 0], [-0.05, 0], [0, 0.05], [0, -0.05]):
        assert loss(found) < loss(found + np.array(step))


def test_a_term_that_says_nothing_gets_next_to_no_weight() -> None:
    terms = CosineTerms(
        {"text": (near(TEXTS, GOLD, 1.0, 3), TEXTS), "name": (unit_vectors(80, 5), NAMES)}
    )
    telling, silent = fit_weights(mined_lists(terms, GOLD)[1])
    assert abs(silent) < telling / 5


def test_a_lone_entity_can_be_fitted() -> None:
    terms = CosineTerms({"text": (unit_vectors(3, 1), Vectors(np.ones((1, 6))))})
    _, lists = mined_lists(terms, np.zeros(3, dtype=np.int64))
    assert np.isfinite(fit_weights(lists)).all()


def test_learned_weights_beat_the_plain_sum_where_a_term_misleads() -> None:
    other = np.roll(np.arange(12), 1)  # each mention is called like another entity

    def terms(seed: int) -> CosineTerms:
        texts, names = near(TEXTS, GOLD, 0.8, seed), near(NAMES, other[GOLD], 0.1, seed + 1)
        return CosineTerms({"text": (texts, TEXTS), "name": (names, NAMES)})

    def right(weights: np.ndarray) -> float:
        return float((terms(13).score(slice(None), weights).argmax(axis=1) == GOLD).mean())

    assert right(fit_weights(mined_lists(terms(3), GOLD)[1])) > right(np.ones(2)) + 0.2
