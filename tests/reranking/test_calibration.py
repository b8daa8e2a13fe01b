"""Probabilities are probabilities, right as often as they say, and nil mentions are made without a leak."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from mmoe.reranking.calibration import Answered, Calibration, measured, taken_out

MENTIONS, DEPTH = 4000, 6


def world(seed: int) -> tuple[Answered, NDArray[np.float64]]:
    """Golds drawn by a softmax at temperature 2; a quarter of them taken out of the list."""
    draw = np.random.default_rng(seed)
    scores = draw.normal(size=(MENTIONS, DEPTH)) * 6
    shares = np.exp(scores / 2)
    shares /= shares.sum(axis=1, keepdims=True)
    gold = np.array([draw.choice(DEPTH, p=own) for own in shares])
    is_nil = draw.random(MENTIONS) < 0.25
    scores[is_nil, gold[is_nil]] = -np.inf
    return Answered(scores, np.where(is_nil, -1, gold), is_nil), shares


@pytest.fixture(scope="module")
def fitted() -> Calibration:
    found = Calibration.fit(world(0)[0])
    assert found is not None
    return found


def test_the_temperature_is_that_by_which_answers_were_drawn(fitted: Calibration) -> None:
    assert fitted.temperature == pytest.approx(2, rel=0.1)


def test_probabilities_and_nil_make_up_one_and_what_is_gone_gets_none(fitted: Calibration) -> None:
    lists, _ = world(1)
    probabilities, nil = fitted.probabilities(lists.scores_MD), fitted.nil(lists.scores_MD)
    np.testing.assert_allclose(probabilities.sum(axis=1) + nil, 1)
    assert (probabilities >= 0).all()
    assert not probabilities[np.isinf(lists.scores_MD)].any()
    alone = fitted.probabilities(np.array([[3.0]]))
    assert alone.shape == (1, 1)
    assert 0 < alone[0, 0] < 1


def test_of_other_mentions_as_many_are_right_as_it_says(fitted: Calibration) -> None:
    found = measured(fitted, world(1)[0])
    assert found["ece"] < 5
    assert sum(each["mentions"] for each in found["bins"]) == MENTIONS


def test_what_is_measured_equals_a_loop(fitted: Calibration) -> None:
    lists, _ = world(2)
    found, nil = measured(fitted, lists), fitted.nil(lists.scores_MD)
    hits = said = 0
    bins: dict[int, list[tuple[float, bool]]] = {}
    for scores, gold, is_nil, one in zip(
        lists.scores_MD, lists.gold_M, lists.is_nil_M, nil, strict=True
    ):
        said += one > fitted.threshold
        hits += one > fitted.threshold and is_nil
        best = float(fitted.probabilities(scores[None]).max())
        bins.setdefault(min(9, int(best * 10)), []).append((best, int(scores.argmax()) == gold))
    total = 0.0
    for own in bins.values():
        values = np.array(own, dtype=float)
        total += abs(values[:, 0].mean() - values[:, 1].mean()) * len(own)
    assert found["ece"] == pytest.approx(100 * total / MENTIONS)
    assert found["nil"]["precision"] == pytest.approx(100 * hits / said)
    assert found["nil"]["recall"] == pytest.approx(100 * hits / lists.is_nil_M.sum())
    assert found["nil"]["few"] is False


def test_no_other_threshold_has_a_better_f1_on_the_mentions_of_the_fit(
    fitted: Calibration,
) -> None:
    lists, _ = world(0)
    nil = fitted.nil(lists.scores_MD)

    def f1(threshold: float) -> float:
        said = nil > threshold
        return float(2 * (said & lists.is_nil_M).sum() / (said.sum() + lists.is_nil_M.sum()))

    assert f1(fitted.threshold) >= max(map(f1, nil.tolist()[:500])) - 1e-12


def test_entities_taken_out_are_a_fifth_and_never_of_both() -> None:
    valid, test = np.arange(100).repeat(2), np.arange(50, 150)
    first, second = taken_out(valid, test)
    assert len(first) == len(second) == 20
    assert set(first) <= set(valid)
    assert set(second) <= set(test)
    assert not set(first) & set(second)
    assert (first, second) == taken_out(valid, test)


def test_a_mention_whose_gold_entity_is_taken_out_becomes_nil() -> None:
    whole = Answered(np.zeros((3, 2)), np.array([0, 1, -1]), np.zeros(3, dtype=bool))
    entities = np.array([[4, 5], [4, 5], [6, 4]])
    found = whole.without(entities, np.array([4, 5, 9]), [4])
    assert found.is_nil_M.tolist() == [True, False, False]  # the last one's is only out of its list
    assert found.gold_M.tolist() == [-1, 1, -1]
    assert np.isinf(found.scores_MD).tolist() == [[True, False], [True, False], [False, True]]
    assert not len(whole.without(entities, np.array([4, 5, 9]), [4, 5, 6]).scores_MD)


def test_without_nil_mentions_or_answers_nothing_is_fitted() -> None:
    scores = np.zeros((2, 3))
    none, both = np.zeros(2, dtype=bool), np.ones(2, dtype=bool)
    assert Calibration.fit(Answered(scores, np.array([0, 1]), none)) is None
    assert Calibration.fit(Answered(scores, np.array([-1, -1]), both)) is None


def test_a_calibration_survives_json(fitted: Calibration) -> None:
    again = Calibration.from_json(fitted.to_json())
    scores = world(3)[0].scores_MD
    np.testing.assert_array_equal(again.nil(scores), fitted.nil(scores))
    assert again.threshold == fitted.threshold
