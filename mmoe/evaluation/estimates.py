"""How far a figure would move with another draw of mentions: 95 % intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmoe.errors import DataError
from mmoe.evaluation.ranks import Ranks
from mmoe.shares import wilson_interval

DECIMALS = 4
PERCENTILES = (2.5, 97.5)
DRAWS_AT_ONCE = 1 << 20
SEED = 0  # every system is resampled with the same draws


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % interval, rounded to 4 decimals."""

    value: float
    low: float
    high: float

    def flat(self, name: str) -> dict[str, float]:
        """As three columns of a table: `name`, `name_low`, `name_high`."""
        return {name: self.value, f"{name}_low": self.low, f"{name}_high": self.high}


def mean_reciprocal_rank(ranks: NDArray[np.int64], samples: int, seed: int = SEED) -> Estimate:
    """MRR, times 100, with a percentile bootstrap over the mentions.

    Args:
        ranks: int64 [M], 1 is best.
        samples: number of resamples.
        seed: of the resampling.
    Raises:
        DataError: if there is no mention.
    """
    return mean_estimate(reciprocals(ranks), samples, seed)


def mean_estimate(values: NDArray[np.float64], samples: int, seed: int = SEED) -> Estimate:
    """The mean of one value a mention, with a percentile bootstrap over the mentions.

    Raises:
        DataError: if there is no mention.
    """
    check_some(values)
    return _estimate(values.mean(), resampled_means(values[None], samples, seed)[0])


def hits_at(ranks: NDArray[np.int64], n: int) -> Estimate:
    """Hits@n, the percentage of mentions whose rank is at most n, with Wilson's interval.

    Raises:
        DataError: if there is no mention.
    """
    check_some(ranks)
    hits = int((ranks <= n).sum())
    shares = (hits / len(ranks), *wilson_interval(hits, len(ranks)))
    return Estimate(*(round(100 * share, DECIMALS) for share in shares))


def paired_gain(ranks_a: Ranks, ranks_b: Ranks, samples: int, seed: int = SEED) -> Estimate:
    """MRR of a less MRR of b over the same mentions, in points.

    Each resample draws mentions, not systems, so what is hard for both cancels out.

    Args:
        ranks_a: of the system that is hoped to be better.
        ranks_b: of the other one, mention by mention in the same order.
        samples: number of resamples.
        seed: of the resampling.
    Raises:
        DataError: if there is no mention, or not the same number on both sides.
    """
    return mean_estimate(_paired_gains(ranks_a, ranks_b), samples, seed)


def part_of_gain(
    ranks: Ranks, start: Ranks, best: Ranks, samples: int, seed: int = SEED
) -> Estimate | None:
    """Which part of the way in MRR from one system to the best one another system goes.

    Args:
        start, best: of the same mentions, mention by mention in the same order.
    Returns:
        1.0 for the best system itself; None where that gains nothing, in all mentions or in a resample.
    """
    own, whole = _paired_gains(ranks, start), _paired_gains(best, start)
    own_S, whole_S = resampled_means(np.stack([own, whole]), samples, seed)
    if whole.mean() <= 0 or whole_S.min() <= 0:
        return None
    return _estimate(own.mean() / whole.mean(), own_S / whole_S)


def reciprocals(ranks: NDArray[np.int64]) -> NDArray[np.float64]:
    """100 / rank of every mention: what MRR is the mean of."""
    assert ranks.min(initial=1) >= 1, "a rank counts the gold entity itself"
    return np.asarray(100.0 / ranks, dtype=np.float64)


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


def check_some(ranks: NDArray[np.generic]) -> None:
    """Refuses an empty evaluation: its metrics would be neither 0 nor 100.

    Raises:
        DataError: if there is no mention.
    """
    if not len(ranks):
        raise DataError(
            "no mention to evaluate: the split holds none whose gold entity is in the knowledge "
            "base; check its gold qids, or raise data.max_mentions"
        )


def _paired_gains(ranks_a: Ranks, ranks_b: Ranks) -> NDArray[np.float64]:
    check_some(ranks_a.pessimistic)
    if len(ranks_a) != len(ranks_b):
        raise DataError(
            f"a paired gain needs the same mentions on both sides, got {len(ranks_a)} "
            f"and {len(ranks_b)}; rank both systems in one run of evaluate"
        )
    return reciprocals(ranks_a.pessimistic) - reciprocals(ranks_b.pessimistic)


def _estimate(value: float, resampled: NDArray[np.float64]) -> Estimate:
    low, high = np.percentile(resampled, PERCENTILES)
    return Estimate(*(round(float(end), DECIMALS) for end in (value, low, high)))
