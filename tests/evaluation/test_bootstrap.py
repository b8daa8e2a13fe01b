"""Intervals: what they must be in plain cases, and how often they hold the truth."""

from __future__ import annotations

import numpy as np
import pytest

from mmoe.errors import DataError
from mmoe.evaluation import bootstrap
from mmoe.evaluation.bootstrap import (
    Gain,
    Interval,
    metric_intervals,
    paired_gain,
    part_of_gain,
    resampled_means,
)
from mmoe.evaluation.metrics import hits, metrics_from_ranks
from mmoe.evaluation.ranks import Ranks

from tests.evaluation.test_metrics import ranks_of


def geometric_ranks(num: int, seed: int, right: float = 0.6) -> Ranks:
    """Ranks of a made-up system that puts the gold entity first in a share `right` of cases."""
    drawn = np.random.default_rng(seed).geometric(right, size=num)
    return Ranks(pessimistic=drawn, optimistic=drawn)


def test_the_interval_surrounds_the_metric() -> None:
    ranks = geometric_ranks(400, seed=1)
    metrics = metrics_from_ranks(ranks, hits_at=[1])
    intervals = metric_intervals(ranks, samples=500, seed=43)
    assert intervals.mrr.low < metrics["mrr"] < intervals.mrr.high
    assert intervals.hits_at_1.low < metrics["hits_at_1"] < intervals.hits_at_1.high


def test_it_agrees_with_the_normal_approximation_on_many_mentions() -> None:
    ranks = geometric_ranks(4000, seed=2)
    values = hits(ranks.pessimistic, 1)
    half = 1.96 * values.std() / np.sqrt(len(values))
    interval = metric_intervals(ranks, samples=2000, seed=0).hits_at_1
    assert interval == pytest.approx((values.mean() - half, values.mean() + half), abs=0.2)


def test_about_95_of_100_intervals_hold_the_true_value() -> None:
    true_hits = 60.0
    intervals = [
        metric_intervals(geometric_ranks(200, seed, right=0.6), samples=200, seed=7).hits_at_1
        for seed in range(200)
    ]
    held = sum(interval.low <= true_hits <= interval.high for interval in intervals)
    assert 180 <= held <= 199


@pytest.mark.parametrize("ranks", [[1], [7], [1, 1, 1], [3, 3]])
def test_where_all_mentions_are_equal_the_interval_is_a_point(ranks: list[int]) -> None:
    mrr = metrics_from_ranks(ranks_of(ranks), hits_at=[1])["mrr"]
    assert metric_intervals(ranks_of(ranks), samples=100, seed=0).mrr == Interval(mrr, mrr)


def test_one_seed_gives_one_result_whatever_the_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(3).random((2, 37))
    whole = resampled_means(values, samples=101, seed=5)
    monkeypatch.setattr(bootstrap, "DRAWS_AT_ONCE", 37 * 4 + 1)
    np.testing.assert_array_equal(resampled_means(values, samples=101, seed=5), whole)
    assert not np.array_equal(resampled_means(values, samples=101, seed=6), whole)


def test_a_small_but_steady_gain_shows_only_when_paired() -> None:
    worse = np.random.default_rng(4).integers(2, 60, size=500)
    ranks_a, ranks_b = Ranks(worse - 1, worse - 1), Ranks(worse, worse)
    gain = paired_gain(ranks_a, ranks_b, samples=500, seed=0)
    alone_a = metric_intervals(ranks_a, samples=500, seed=0).mrr
    alone_b = metric_intervals(ranks_b, samples=500, seed=0).mrr
    assert 0 < gain.low < gain.mean < gain.high
    assert gain.high - gain.low < (alone_a.high - alone_a.low) + (alone_b.high - alone_b.low)


def test_the_gain_of_two_equal_systems_is_nothing() -> None:
    ranks = geometric_ranks(50, seed=8)
    assert paired_gain(ranks, ranks, samples=100, seed=0) == Gain(0.0, 0.0, 0.0)


def test_the_gain_is_the_difference_of_the_metrics_and_changes_sign_with_the_order() -> None:
    ranks_a, ranks_b = geometric_ranks(90, seed=1), geometric_ranks(90, seed=2)
    difference = (
        metrics_from_ranks(ranks_a, hits_at=[1])["mrr"]
        - metrics_from_ranks(ranks_b, hits_at=[1])["mrr"]
    )
    there = paired_gain(ranks_a, ranks_b, samples=300, seed=0)
    back = paired_gain(ranks_b, ranks_a, samples=300, seed=0)
    assert there.mean == pytest.approx(difference, abs=2e-4)
    assert tuple(there) == pytest.approx((-back.mean, -back.high, -back.low), abs=1e-4)


def test_no_mention_is_an_error() -> None:
    with pytest.raises(DataError, match="no mention"):
        metric_intervals(ranks_of([]), samples=100, seed=0)


def test_systems_with_other_mentions_are_no_pair() -> None:
    with pytest.raises(DataError, match="same mentions on both sides, got 2 and 1"):
        paired_gain(ranks_of([1, 2]), ranks_of([1]), samples=100, seed=0)


def test_the_part_of_a_gain_lies_between_nothing_and_all_of_it() -> None:
    start, best = geometric_ranks(500, seed=1, right=0.3), geometric_ranks(500, seed=2, right=0.9)
    half_way = Ranks(*[np.where(np.arange(500) < 250, best.pessimistic, start.pessimistic)] * 2)
    whole = part_of_gain(best, start, best, samples=200, seed=1)
    nothing = part_of_gain(start, start, best, samples=200, seed=1)
    assert (whole, nothing) == (Gain(1, 1, 1), Gain(0, 0, 0))
    half = part_of_gain(half_way, start, best, samples=200, seed=1)
    assert half is not None
    assert half.low < half.mean < half.high
    assert half.mean == pytest.approx(0.5, abs=0.1)


def test_there_is_no_part_of_no_gain() -> None:
    ranks = geometric_ranks(50, seed=1)
    assert part_of_gain(ranks, ranks, ranks, samples=100, seed=1) is None
    worse = Ranks(ranks.pessimistic + 1, ranks.optimistic + 1)
    assert part_of_gain(ranks, ranks, worse, samples=100, seed=1) is None
