"""Baselines that compare the frozen encoder's pooled embeddings and train nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmoe.evaluation.ranks import Ranks, count_ranks_in_chunks
from mmoe.vectors import unit_rows

CHUNK = 256  # mentions scored at a time


@dataclass(frozen=True)
class Vectors:
    """Embeddings of one kind.

    Attributes:
        values_NP: float; rows that are not present hold anything finite.
        present_N: bool; None where all are.
    """

    values_NP: NDArray[np.floating]
    present_N: NDArray[np.bool_] | None = None

    def unit(self) -> NDArray[np.float32]:
        """Rows divided by their norm; absent ones become zero and are masked later."""
        unit = unit_rows(self.values_NP)
        return unit if self.present_N is None else unit * self.present_N[:, None]

    def present(self) -> NDArray[np.bool_]:
        """bool [N]."""
        return np.ones(len(self.values_NP), bool) if self.present_N is None else self.present_N


def cosine_ranks(
    terms: Sequence[tuple[Vectors, Vectors]],
    gold: NDArray[np.int64],
    typical: NDArray[np.int64] | None = None,
) -> Ranks:
    """Ranks by a sum of cosines over the whole knowledge base.

    A cosine with a missing side counts as the mean cosine of the pairs that have both: neither for nor
    against the entity.

    Args:
        terms: (mentions' vectors, entities' vectors) of each cosine.
        gold: [M], position of each mention's gold entity.
        typical: mentions over which that mean is taken; None for all.
    """
    prepared = [
        (mentions.unit(), mentions.present(), entities.unit(), entities.present())
        for mentions, entities in terms
    ]
    rows = slice(None) if typical is None else typical
    neutral = [_mean_cosine(m[rows], has_m[rows], e, has_e) for m, has_m, e, has_e in prepared]

    def scores(of: slice) -> NDArray[np.float32]:
        total_BN = np.zeros((len(gold[of]), len(prepared[0][2])), dtype=np.float32)
        for (mentions, has_mention, entities, has_entity), mean in zip(
            prepared, neutral, strict=True
        ):
            both = has_mention[of, None] & has_entity[None, :]
            total_BN += np.where(both, mentions[of] @ entities.T, mean)
        return total_BN

    return count_ranks_in_chunks(scores, gold, CHUNK)


def _mean_cosine(
    mentions: NDArray[np.float32],
    has_mention: NDArray[np.bool_],
    entities: NDArray[np.float32],
    has_entity: NDArray[np.bool_],
) -> np.float32:
    """The mean over all pairs that have both sides: the product of the mean vectors."""
    if not has_mention.any() or not has_entity.any():
        return np.float32(0)  # no such pair is ever scored
    return np.float32(mentions[has_mention].mean(axis=0) @ entities[has_entity].mean(axis=0))
