"""Intervals: what they must be in plain cases, and how often they hold the truth."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from mmoe.errors import DataError
from mmoe.evaluation import estimates
from mmoe.evaluation.estimates import (
    Estimate,
    hits_at,
    mean_reciprocal_rank,
    paired_gain,
    part_of_gain,
    resampled_means,
)
from mmoe.evaluation.ranks import Ranks

from tests.evaluation.cases import geometric_ranks, ranks_of


def test_mrr_agrees_with_the_normal_approximation_on_many_mentions() -> None:
    ranks = geometric_ranks(4000, seed=2).pessimistic
    values = 100 / ranks
    half = 1.96 * values.std() / np.sqrt(len(values))
    found = mean_reciprocal_rank(ranks, samples=2000)
    assert found.value == pytest.approx(values.mean(), abs=1e-4)
    assert (found.low, found.high) == pytest.approx(
        (values.mean() - half, values.mean() + half), abs=0.2
    )


def test_about_95_of_100_intervals_hold_the_true_value() -> None:
    right = 0.6
    mrr = 100 * sum(right * (1 - right) ** (rank - 1) / rank for rank in range(1, 60))
    ranks = [geometric_ranks(200, seed, right).pessimistic for seed in range(200)]
    found = [(mean_reciprocal_rank(r, samples=200), mrr) for r in ranks]
    found += [(hits_at(r, 1), 100 * right) for r in ranks]
    held = sum(estimate.low <= true <= estimate.high for estimate, true in found)
    assert 370 <= held <= 395


@pytest.mark.parametrize(("ranks", "n"), [([1, 1, 3], 1), ([1], 1), ([4, 9], 3), ([2] * 40, 2)])
def test_hits_have_wilsons_interval_as_scipy_computes_it(ranks: list[int], n: int) -> None:
    right = sum(rank <= n for rank in ranks)
    wanted = stats.binomtest(right, len(ranks)).proportion_ci(method="wilson")
    found = hits_at(np.array(ranks), n)
    assert found.value == round(100 * right / len(ranks), 4)
    assert (found.low, found.high) == pytest.approx((100 * wanted.low, 100 * wanted.high), abs=1e-3)


def test_where_all_mentions_are_equal_the_interval_of_mrr_is_a_point() -> None:
    assert mean_reciprocal_rank(np.array([4, 4]), samples=100) == Estimate(25, 25, 25)


def test_one_seed_gives_one_result_whatever_the_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(3).random((2, 37))
    whole = resampled_means(values, samples=101, seed=5)
    monkeypatch.setattr(estimates, "DRAWS_AT_ONCE", 37 * 4 + 1)
    np.testing.assert_array_equal(resampled_means(values, samples=101, seed=5), whole)
    assert not np.array_equal(resampled_means(values, samples=101, seed=6), whole)


def test_a_small_but_steady_gain_shows_only_when_paired() -> None:
    worse = np.random.default_rng(4).integers(2, 60, size=500)
    gain = paired_gain(Ranks(worse - 1, worse - 1), Ranks(worse, worse), samples=500)
    alone = [mean_reciprocal_rank(ranks, samples=500) for ranks in (worse - 1, worse)]
    assert 0 < gain.low < gain.value < gain.high
    assert gain.high - gain.low < sum(estimate.high - estimate.low for estimate in alone)


def test_the_gain_is_the_difference_of_the_metrics_and_changes_sign_with_the_order() -> None:
    a, b = geometric_ranks(90, seed=1), geometric_ranks(90, seed=2)
    mrr_a, mrr_b = (mean_reciprocal_rank(r.pessimistic, samples=100).value for r in (a, b))
    there, back = paired_gain(a, b, samples=300), paired_gain(b, a, samples=300)
    assert there.value == pytest.approx(mrr_a - mrr_b, abs=2e-4)
    assert (there.value, there.low, there.high) == pytest.approx(
        (-back.value, -back.high, -back.low), abs=1e-4
    )
    assert paired_gain(a, a, samples=100) == Estimate(0, 0, 0)


def test_a_pair_needs_the_same_mentions_and_at_least_one() -> None:
    with pytest.raises(DataError, match="same mentions on both sides, got 2 and 1"):
        paired_gain(ranks_of([1, 2]), ranks_of([1]), samples=100)
    with pytest.raises(DataError, match="no mention to evaluate"):
        paired_gain(ranks_of([]), ranks_of([]), samples=100)
    with pytest.raises(DataError, match="no mention to evaluate"):
        hits_at(np.array([], dtype=np.int64), 1)


def test_the_part_of_a_gain_lies_between_nothing_and_all_of_it() -> None:
    start, best = geometric_ranks(500, seed=1, right=0.3), geometric_ranks(500, seed=2, right=0.9)
    half_way = Ranks(*[np.where(np.arange(500) < 250, best.pessimistic, start.pessimistic)] * 2)
    assert part_of_gain(best, start, best, samples=200) == Estimate(1, 1, 1)
    assert part_of_gain(start, start, best, samples=200) == Estimate(0, 0, 0)
    half = part_of_gain(half_way, start, best, samples=200)
    assert half is not None
    assert half.low < half.value < half.high
    assert half.value == pytest.approx(0.5, abs=0.1)
    assert part_of_gain(start, best, start, samples=100) is None
