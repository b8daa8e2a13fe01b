"""Ranks of gold entities, and how they are counted from scores."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

TIE_TOLERANCE = 1e-5  # relative; the same row differs in its last bits between batches


@dataclass(frozen=True)
class Ranks:
    """Rank of the gold entity of each mention, ties counted against it and for it.

    Attributes:
        pessimistic: int64 [M], 1 + number of other entities that score at least as high.
        optimistic: int64 [M], 1 + number of other entities that score higher.
    """

    pessimistic: NDArray[np.int64]
    optimistic: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.pessimistic)

    def __getitem__(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> Ranks:
        """The ranks of some mentions."""
        return Ranks(self.pessimistic[rows], self.optimistic[rows])


def count_ranks(scores_BN: NDArray[np.floating], gold_B: NDArray[np.int64]) -> Ranks:
    """Ranks of the gold columns; scores within 1e-5 of a mention's largest |score| are ties.

    Args:
        scores_BN: a score of every entity of the knowledge base for every mention, higher is better.
        gold_B: column of each mention's gold entity.
    Raises:
        ValueError: if a score is not finite; comparisons with it would count as neither.
    """
    if not np.isfinite(scores_BN).all():
        raise ValueError("scores must be finite: NaN or infinity has no rank")
    gold_B1 = scores_BN[np.arange(len(gold_B)), gold_B][:, None]
    margin_B1 = TIE_TOLERANCE * np.abs(scores_BN).max(axis=1, keepdims=True, initial=0)
    # The gold entity itself always counts as "at least as high": it stands for the leading 1.
    pessimistic = (scores_BN >= gold_B1 - margin_B1).sum(axis=1)
    optimistic = 1 + (scores_BN > gold_B1 + margin_B1).sum(axis=1)
    return Ranks(pessimistic.astype(np.int64), optimistic.astype(np.int64))


def count_ranks_in_chunks(
    scores_of: Callable[[slice], NDArray[np.floating]], gold_M: NDArray[np.int64], chunk: int
) -> Ranks:
    """As `count_ranks`, without ever holding the scores of more than `chunk` mentions.

    Args:
        scores_of: the scores [B, N] of the mentions in a slice.
    """
    ranks = Ranks(np.empty_like(gold_M), np.empty_like(gold_M))
    for start in range(0, len(gold_M), chunk):
        rows = slice(start, start + chunk)
        found = count_ranks(scores_of(rows), gold_M[rows])
        ranks.pessimistic[rows], ranks.optimistic[rows] = found.pessimistic, found.optimistic
    return ranks
