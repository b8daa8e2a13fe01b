"""The combiner finds what tells gold entities apart, and a missing value is neither for nor against."""

from __future__ import annotations

import json

import numpy as np
import pytest

from mmoe.reranking.combiner import Combiner


def lists(seed: int, mentions: int = 300) -> tuple[np.ndarray, np.ndarray]:
    """Lists of six; the first feature tells, the second is noise, the third a constant."""
    draw = np.random.default_rng(seed)
    gold = draw.integers(0, 6, mentions)
    values = draw.normal(size=(mentions, 6, 3)) * [2.0, 5.0, 0.0]
    values[np.arange(mentions), gold, 0] += 6
    return values, gold


def test_it_learns_the_feature_that_tells() -> None:
    values, gold = lists(1)
    found = Combiner.fit(["tells", "noise", "constant"], values, gold)
    other, answers = lists(2)
    assert (found.scores(other).argmax(axis=1) == answers).mean() > 0.9
    assert found.weights_F[0] > 10 * abs(found.weights_F[1])
    assert found.weights_F[2] == pytest.approx(0, abs=1e-6)


def test_mentions_without_their_gold_entity_teach_nothing() -> None:
    values, gold = lists(1)
    outside = np.concatenate([gold, np.full(50, -1)])
    more = np.concatenate([values, lists(3, 50)[0]])
    found, wanted = (Combiner.fit("abc", *each) for each in ((more, outside), (values, gold)))
    np.testing.assert_allclose(found.weights_F, wanted.weights_F)


def test_a_missing_value_is_masked_and_has_a_weight_of_its_own() -> None:
    values, gold = lists(1)
    missing = np.random.default_rng(4).random(values.shape[:2]) < 0.3
    values[..., 0][missing] = np.nan
    found = Combiner.fit("abc", values, gold)
    at_mean = found.mean_F.copy()
    gone = np.array([np.nan, at_mean[1], at_mean[2]])
    assert found.scores(at_mean) == pytest.approx(0)
    assert found.scores(gone) == pytest.approx(found.missing_F[0])
    assert found.missing_F[0] != 0
    assert found.missing_F[1] == found.missing_F[2] == 0
    changed = values.copy()
    changed[..., 0][missing] = 1e6  # what stands in its place when it is masked first
    changed[..., 0][missing] = np.nan
    np.testing.assert_array_equal(found.scores(values), found.scores(changed))


def test_its_file_holds_finite_numbers_by_feature() -> None:
    values, gold = lists(1)
    found = json.loads(json.dumps(Combiner.fit("abc", values, gold).to_json(), allow_nan=False))
    assert list(found) == ["a", "b", "c"]
    assert set(found["a"]) == {"weight", "mean", "scale", "missing"}
