"""Ranks of gold entities, and how they are counted from scores."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmoe.records import Candidate, Mention

TIE_TOLERANCE = 1e-5  # relative; the same row differs in its last bits between batches
# Scores [B, N] of the mentions in a slice with all entities, higher is better.
ScoresOf = Callable[[slice], NDArray[np.floating]]


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

    def __getitem__(self, rows: NDArray[np.bool_] | NDArray[np.int64] | slice) -> Ranks:
        """The ranks of some mentions."""
        return Ranks(self.pessimistic[rows], self.optimistic[rows])

    @classmethod
    def joined(cls, parts: Sequence[Ranks]) -> Ranks:
        """One part after the other."""
        nothing = np.empty(0, dtype=np.int64)
        return cls(
            np.concatenate([nothing, *(part.pessimistic for part in parts)]),
            np.concatenate([nothing, *(part.optimistic for part in parts)]),
        )


def count_ranks(scores_BN: NDArray[np.floating], gold_B: NDArray[np.int64]) -> Ranks:
    """Ranks of the gold columns; scores within 1e-5 of a mention's largest |score| are ties.

    Args:
        scores_BN: a score of every entity of the knowledge base for every mention, higher is better.
        gold_B: column of each mention's gold entity.
    Raises:
        ValueError: if a score is not finite; comparisons with it would count as neither.
    """
    at_least_BN, above_BN = _compared(scores_BN, gold_B)
    # The gold entity itself always counts as "at least as high": it stands for the leading 1.
    pessimistic, optimistic = at_least_BN.sum(axis=1), 1 + above_BN.sum(axis=1)
    return Ranks(pessimistic.astype(np.int64), optimistic.astype(np.int64))


def count_ranks_among(
    scores_BN: NDArray[np.floating],
    gold_B: NDArray[np.int64],
    candidates: Sequence[NDArray[np.int64]],
) -> Ranks:
    """As `count_ranks`, where only some entities of each mention can be an answer, and all others tie last.

    Args:
        candidates: of each mention, columns.
    """
    at_least_BN, above_BN = _compared(scores_BN, gold_B)
    ranks = np.empty((len(gold_B), 2), dtype=np.int64)
    for row, (gold, own) in enumerate(zip(gold_B, candidates, strict=True)):
        if gold in own:
            ranks[row] = at_least_BN[row, own].sum(), 1 + above_BN[row, own].sum()
        else:
            ranks[row] = scores_BN.shape[1], 1 + len(own)
    return Ranks(ranks[:, 0], ranks[:, 1])


def candidate_lists(
    mentions: Sequence[Mention], candidates: Sequence[Candidate], position: Mapping[str, int]
) -> list[NDArray[np.int64]]:
    """The candidates of each mention as positions of entities, in retrieval's order.

    Args:
        candidates: of these and other mentions; those that are no entity of the knowledge base don't count.
        position: of an entity, by its qid.
    """
    found: dict[str, list[int]] = {mention.mention_id: [] for mention in mentions}
    for candidate in sorted(candidates, key=lambda each: each.position):
        if candidate.qid in position and candidate.mention_id in found:
            found[candidate.mention_id].append(position[candidate.qid])
    return [np.array(found[m.mention_id], dtype=np.int64) for m in mentions]


def _compared(
    scores_BN: NDArray[np.floating], gold_B: NDArray[np.int64]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which entities score at least as high as the gold one, and which higher."""
    if not np.isfinite(scores_BN).all():
        raise ValueError("scores must be finite: NaN or infinity has no rank")
    gold_B1 = scores_BN[np.arange(len(gold_B)), gold_B][:, None]
    margin_B1 = TIE_TOLERANCE * np.abs(scores_BN).max(axis=1, keepdims=True, initial=0)
    return scores_BN >= gold_B1 - margin_B1, scores_BN > gold_B1 + margin_B1
