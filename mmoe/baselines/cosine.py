"""Baselines that compare the frozen encoder's pooled embeddings and train nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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


class CosineTerms:
    """The cosines of mentions and entities, one a term, as parts of a score.

    A cosine with a missing side counts as the mean cosine of the pairs that have both: neither for nor
    against the entity.

    Args:
        terms: (mentions' vectors, entities' vectors) of each cosine.
        typical: mentions over which that mean is taken; None for all.
    """

    def __init__(
        self,
        terms: Sequence[tuple[Vectors, Vectors]],
        typical: NDArray[np.int64] | None = None,
    ) -> None:
        self._terms = [
            (mentions.unit(), mentions.present(), entities.unit(), entities.present())
            for mentions, entities in terms
        ]
        rows = slice(None) if typical is None else typical
        self._neutral = [
            _mean_cosine(m[rows], has_m[rows], e, has_e) for m, has_m, e, has_e in self._terms
        ]

    def each(self, of: slice) -> Iterator[NDArray[np.float32]]:
        """Every term's cosines [B, N] of the mentions in a slice with all entities."""
        for (mentions, has_mention, entities, has_entity), mean in zip(
            self._terms, self._neutral, strict=True
        ):
            both = has_mention[of, None] & has_entity[None, :]
            yield np.where(both, mentions[of] @ entities.T, mean)

    def score(self, of: slice, weights: NDArray[np.floating] | None = None) -> NDArray[np.float32]:
        """Their sum [B, N], each times its weight."""
        factors = np.ones(len(self._terms)) if weights is None else weights
        weighted = (np.float32(w) * each for w, each in zip(factors, self.each(of), strict=True))
        total_BN = next(weighted)
        for term_BN in weighted:
            total_BN += term_BN
        return total_BN


def cosine_ranks(
    terms: Sequence[tuple[Vectors, Vectors]],
    gold: NDArray[np.int64],
    typical: NDArray[np.int64] | None = None,
) -> Ranks:
    """Ranks by a sum of cosines over the whole knowledge base.

    Args:
        terms, typical: see `CosineTerms`.
        gold: [M], position of each mention's gold entity.
    """
    return count_ranks_in_chunks(CosineTerms(terms, typical).score, gold, CHUNK)


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
