"""How far a metric would move with another draw of mentions: percentile bootstrap, 95 %."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mmoe.errors import DataError
from mmoe.evaluation.metrics import DECIMALS, check_some, hits, reciprocals
from mmoe.evaluation.ranks import Ranks

PERCENTILES = (2.5, 97.5)
DRAWS_AT_ONCE = 1 << 20


class Interval(NamedTuple):
    """A 95 % interval, in the unit of the metric."""

    low: float
    high: float


class Gain(NamedTuple):
    """How much better one system is than another, and the 95 % interval of that, in points."""

    mean: float
    low: float
    high: float


class Intervals(NamedTuple):
    """The 95 % intervals of one system."""

    mrr: Interval
    hits_at_1: Interval


def metric_intervals(ranks: Ranks, samples: int, seed: int) -> Intervals:
    """95 % intervals of MRR and Hits@1 (times 100, pessimistic ranks) over the draw of mentions.

    Args:
        ranks: of every mention.
        samples: number of resamples.
        seed: of the resampling; both metrics are taken of the same resamples.
    Raises:
        DataError: if there is no mention.
    """
    check_some(ranks)
    values = np.stack([reciprocals(ranks.pessimistic), hits(ranks.pessimistic, 1)])
    mrr, hits_at_1 = resampled_means(values, samples, seed)
    return Intervals(Interval(*_percentiles(mrr)), Interval(*_percentiles(hits_at_1)))


def paired_gain(
    ranks_a: Ranks,
    ranks_b: Ranks,
    samples: int,
    seed: int,
    of: Callable[[NDArray[np.int64]], NDArray[np.float64]] = reciprocals,
) -> Gain:
    """Metric of a less metric of b over the same mentions, with its 95 % interval.

    Each resample draws mentions, not systems, so what is hard for both cancels out.

    Args:
        ranks_a: of the system that is hoped to be better.
        ranks_b: of the other one, mention by mention in the same order.
        samples: number of resamples.
        seed: of the resampling.
        of: the metric's value of every mention; MRR's by default.
    Raises:
        DataError: if there is no mention, or not the same number on both sides.
    """
    check_some(ranks_a)
    if len(ranks_a.pessimistic) != len(ranks_b.pessimistic):
        raise DataError(
            f"a paired gain needs the same mentions on both sides, got {len(ranks_a.pessimistic)} "
            f"and {len(ranks_b.pessimistic)}; rank both systems in one run of evaluate"
        )
    gains = of(ranks_a.pessimistic) - of(ranks_b.pessimistic)
    (means,) = resampled_means(gains[None], samples, seed)
    return Gain(round(float(gains.mean()), DECIMALS), *_percentiles(means))


def part_of_gain(ranks: Ranks, start: Ranks, best: Ranks, samples: int, seed: int) -> Gain | None:
    """Which part of the way in MRR from one system to the best one another system goes, with its interval.

    Args:
        start, best: of the same mentions, mention by mention in the same order.
    Returns:
        1.0 for the best system itself; null where that gains nothing, in all mentions or in a resample.
    """
    check_some(ranks)
    own, whole = (
        reciprocals(system.pessimistic) - reciprocals(start.pessimistic) for system in (ranks, best)
    )
    own_S, whole_S = resampled_means(np.stack([own, whole]), samples, seed)
    if whole.mean() <= 0 or whole_S.min() <= 0:
        return None
    return Gain(round(float(own.mean() / whole.mean()), DECIMALS), *_percentiles(own_S / whole_S))


def resampled_means(values_VM: NDArray[np.float64], samples: int, seed: int) -> NDArray[np.float64]:
    """Means of V values over each of S draws, with replacement, of as many mentions as there are.

    Args:
        values_VM: float [V values, M mentions].
        samples: number of draws S.
        seed: of the draws.
    Returns:
        float [V, S].
    """
    generator = np.random.default_rng(seed)
    num_values, num_mentions = values_VM.shape
    means_VS = np.empty((num_values, samples))
    step = max(1, DRAWS_AT_ONCE // num_mentions)
    for start in range(0, samples, step):
        stop = min(start + step, samples)
        drawn = generator.integers(num_mentions, size=(stop - start, num_mentions))
        for row, values in zip(means_VS, values_VM, strict=True):
            row[start:stop] = values[drawn].mean(axis=1)
    return means_VS


def _percentiles(means: NDArray[np.float64]) -> tuple[float, float]:
    low, high = np.percentile(means, PERCENTILES)
    return round(float(low), DECIMALS), round(float(high), DECIMALS)
