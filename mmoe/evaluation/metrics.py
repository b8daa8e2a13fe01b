"""Ranks to the numbers that papers print."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mmoe.errors import DataError
from mmoe.evaluation.ranks import Ranks

DECIMALS = 4


def metrics_from_ranks(ranks: Ranks, hits_at: Sequence[int]) -> dict[str, float]:
    """MRR, Hits@n, mean and median rank, from the pessimistic ranks and then from the optimistic ones.

    Args:
        ranks: of the gold entity of every mention, 1 is best.
        hits_at: every n of Hits@n.
    Returns:
        `mrr`, `hits_at_<n>` (both times 100), `mean_rank`, `median_rank`, then the same names with
        the ending `_optimistic`; rounded to 4 decimals.
    Raises:
        DataError: if there is no mention.
    """
    check_some(ranks)
    optimistic = _metrics(ranks.optimistic, hits_at)
    return _metrics(ranks.pessimistic, hits_at) | {
        f"{name}_optimistic": value for name, value in optimistic.items()
    }


def reciprocals(ranks: NDArray[np.int64]) -> NDArray[np.float64]:
    """100 / rank of every mention: what MRR is the mean of."""
    assert ranks.min() >= 1, "a rank counts the gold entity itself"
    return np.asarray(100.0 / ranks, dtype=np.float64)


def hits(ranks: NDArray[np.int64], n: int) -> NDArray[np.float64]:
    """100 for every mention whose rank is at most n, else 0: what Hits@n is the mean of."""
    return np.asarray(100.0 * (ranks <= n), dtype=np.float64)


def check_some(ranks: Ranks) -> None:
    """Refuses an empty evaluation: its metrics would be neither 0 nor 100.

    Raises:
        DataError: if there is no mention.
    """
    if not len(ranks.pessimistic):
        raise DataError(
            "no mention to evaluate: the split holds none whose gold entity is in the knowledge "
            "base; check its gold qids, or raise data.max_mentions"
        )


def _metrics(ranks: NDArray[np.int64], hits_at: Sequence[int]) -> dict[str, float]:
    values = {
        "mrr": reciprocals(ranks).mean(),
        **{f"hits_at_{n}": hits(ranks, n).mean() for n in hits_at},
        "mean_rank": ranks.mean(),
        "median_rank": np.median(ranks),
    }
    return {name: round(float(value), DECIMALS) for name, value in values.items()}
