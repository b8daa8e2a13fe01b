"""Two towers: the loss is its formula, they learn what generalises, and no train mention scores itself."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from mmoe.reranking import context
from mmoe.reranking.context import FOLDS, ContextFeatures, TwoTowers, fit_towers
from mmoe.reranking.pairs import Pairs

NUM_TRAIN, NUM_TEST, NUM_ENTITIES, WIDTH = 200, 60, 300, 16


def everybody(rows: int) -> Pairs:
    return Pairs(np.arange(rows), np.tile(np.arange(NUM_ENTITIES), (rows, 1)))


def world(signal: float) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64]]:
    """Contexts that are their gold entities turned in space, with noise; without signal, noise alone."""
    draw = np.random.default_rng(1)
    entities = draw.normal(size=(NUM_ENTITIES, WIDTH)).astype(np.float32)
    gold = draw.permutation(NUM_ENTITIES)[: NUM_TRAIN + NUM_TEST]  # each one gold once
    turned, _ = np.linalg.qr(draw.normal(size=(WIDTH, WIDTH)))
    noise = draw.normal(size=(len(gold), WIDTH))
    contexts = signal * entities[gold] @ turned + (1 - signal) * noise
    return contexts.astype(np.float32), entities, gold


@pytest.fixture(scope="module")
def fitted() -> ContextFeatures:
    contexts, entities, gold = world(signal=0.7)
    return ContextFeatures.fit(contexts, entities.__getitem__, gold, NUM_TRAIN)


def mean_rank(scores: NDArray[np.float32], gold: NDArray[np.int64]) -> float:
    own = scores[np.arange(len(gold)), gold][:, None]
    return float((scores >= own).sum(axis=1).mean())


def test_the_loss_is_its_formula_and_two_mentions_of_one_entity_are_no_negatives(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(context, "DROPOUT", 0.0)
    torch.manual_seed(0)
    towers = TwoTowers(nn.Linear(4, 3), nn.Linear(5, 3))
    gold = torch.tensor([7, 2, 7, 9])
    contexts, entities = torch.randn(4, 4), torch.randn(10, 5)[gold]
    found = context._loss(towers, contexts, entities, gold)
    cosines = torch.cosine_similarity(
        towers.context(contexts)[:, None], towers.entity(entities)[None], dim=-1
    ).detach()
    total = 0.0
    for table in (cosines, cosines.T):
        for i in range(4):
            others = [j for j in range(4) if j == i or gold[j] != gold[i]]
            exps = [math.exp(float(table[i, j]) / context.TEMPERATURE) for j in others]
            total -= math.log(exps[others.index(i)] / sum(exps)) / 8
    assert float(found.detach()) == pytest.approx(total, rel=1e-5)


def test_they_find_entities_that_train_never_saw(fitted: ContextFeatures) -> None:
    _, _, gold = world(signal=0.7)
    test = slice(NUM_TRAIN, None)
    scores = fitted.of(everybody(len(gold))[test])[..., 0]
    assert mean_rank(scores, gold[test]) < NUM_ENTITIES / 10


def test_a_train_mention_is_scored_by_towers_that_have_not_learned_from_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Contexts of noise say nothing; what learned them by heart would show on train mentions."""
    monkeypatch.setattr(context, "LEAST_STEPS", 100)
    contexts, entities, gold = world(signal=0.0)
    pairs = everybody(NUM_TRAIN)
    fitted = ContextFeatures.fit(contexts, entities.__getitem__, gold, NUM_TRAIN)
    honest = fitted.of(pairs)[..., 0]
    by_heart = fit_towers(contexts, entities[gold], gold, np.arange(NUM_TRAIN)).scores(
        contexts[:NUM_TRAIN], entities[pairs.entities_BD]
    )
    assert mean_rank(by_heart, gold[:NUM_TRAIN]) < NUM_ENTITIES / 4
    assert mean_rank(honest, gold[:NUM_TRAIN]) > NUM_ENTITIES * 0.4


def test_a_fit_repeats_to_the_bit_and_leaves_the_random_state_alone(
    fitted: ContextFeatures,
) -> None:
    torch.manual_seed(7)
    before = torch.get_rng_state()
    contexts, entities, gold = world(signal=0.7)
    again = ContextFeatures.fit(contexts, entities.__getitem__, gold, NUM_TRAIN)
    assert torch.equal(before, torch.get_rng_state())
    assert np.array_equal(again.of(everybody(9)), fitted.of(everybody(9)))


def test_a_block_of_pairs_is_scored_as_each_of_them_alone(fitted: ContextFeatures) -> None:
    rows = np.array([0, NUM_TRAIN, 1, FOLDS, NUM_TRAIN + 3])
    own = np.random.default_rng(2).integers(NUM_ENTITIES, size=(len(rows), 6))
    together = fitted.of(Pairs(rows, own))
    for i in range(len(rows)):
        for j in range(6):
            alone = fitted.of(Pairs(rows[i : i + 1], own[i : i + 1, j : j + 1]))
            assert together[i, j, 0] == pytest.approx(float(alone[0, 0, 0]), abs=1e-5)
