"""Baseline late interaction: each token's best partner on the other side, among a shortlist."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmoe.vectors import unit_rows

DEPTH = 100  # entities of a mention that are compared token by token


BLOCK = 1 << 16  # tokens read at a time


@dataclass(frozen=True)
class Tokens:
    """Token or patch features of one side, packed: row i's are `values_TC[starts_N[i]:][:lengths_N[i]]`.

    Attributes:
        lengths_N: 0 for a row without any, as one whose image is missing.
    """

    values_TC: NDArray[np.float16]
    starts_N: NDArray[np.int64]
    lengths_N: NDArray[np.int64]

    def positions(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Where the features of some rows stand, one row after the other."""
        lengths = self.lengths_N[rows]
        before = np.cumsum(lengths) - lengths
        moved_T = np.repeat(self.starts_N[rows] - before, lengths)
        at_T: NDArray[np.int64] = np.arange(len(moved_T)) + moved_T
        return at_T

    def blocks(self) -> Iterator[NDArray[np.float32]]:
        """All features that are stored, some at a time."""
        for start in range(0, len(self.values_TC), BLOCK):
            yield self.values_TC[start : start + BLOCK].astype(np.float32)


class LateInteraction:
    """The mean over one side's tokens of the best cosine on the other side, both ways, added up.

    Tokens are centred at the knowledge base's mean: frozen encoders put all of theirs into one direction.

    Source: MaxSim of ColBERT (Khattab and Zaharia, SIGIR 2020), which adds up one direction.
    """

    def __init__(self, mentions: Tokens, entities: Tokens) -> None:
        self.mentions, self.entities = mentions, entities
        sums = [block.sum(axis=0, dtype=np.float64) for block in entities.blocks()]
        self.centre_C = (np.sum(sums, axis=0) / max(1, len(entities.values_TC))).astype(np.float32)
        norms = [np.linalg.norm(block - self.centre_C, axis=1) for block in entities.blocks()]
        norms_T = np.concatenate([np.empty(0, dtype=np.float32), *norms])
        # A token at the centre is like nothing; its norm is rounding.
        at_centre_T = norms_T < 1e-3 * np.linalg.norm(self.centre_C)
        self._inverse_T = np.where(at_centre_T, 0, 1 / np.maximum(norms_T, 1e-9))

    def scores(self, mention: int, entities: NDArray[np.int64]) -> NDArray[np.float32]:
        """Of one mention with some entities, [n]; a pair that lacks a side gets the mean of the others."""
        lengths = self.entities.lengths_N[entities]
        found = np.zeros(len(entities), dtype=np.float32)
        has = lengths > 0
        if not self.mentions.lengths_N[mention] or not has.any():
            return found
        at = self.mentions.positions(np.array([mention]))
        ours = unit_rows(self.mentions.values_TC[at].astype(np.float32) - self.centre_C)
        at = self.entities.positions(entities[has])
        products_LT = ours @ self.entities.values_TC[at].astype(np.float32).T
        products_LT -= (ours @ self.centre_C)[:, None]
        products_LT *= self._inverse_T[at]  # cosines of the centred features
        lengths = lengths[has]
        starts = np.cumsum(lengths) - lengths
        forth_n = np.maximum.reduceat(products_LT, starts, axis=1).mean(axis=0)
        back_n = np.add.reduceat(products_LT.max(axis=0), starts) / lengths
        found[has] = forth_n + back_n
        found[~has] = found[has].mean()
        return found


def rescored(
    first_BN: NDArray[np.float32], mentions: range, interactions: list[LateInteraction]
) -> NDArray[np.float32]:
    """Scores [B, N] that put the best DEPTH entities in the order of late interaction, before all others.

    Args:
        first_BN: the score that makes the shortlist and orders what is not on it.
        mentions: which rows of the interactions' mentions these are.
    """
    low, high = first_BN.min(axis=1, keepdims=True), first_BN.max(axis=1, keepdims=True)
    scores: NDArray[np.float32] = (first_BN - low) / np.maximum(high - low, 1e-9) - 2  # in [-2, -1]
    depth = min(DEPTH, first_BN.shape[1])
    best_BD = np.argpartition(-first_BN, depth - 1, axis=1)[:, :depth]
    for row, mention in enumerate(mentions):
        found = sum(each.scores(mention, best_BD[row]) for each in interactions)
        scores[row, best_BD[row]] = 2 * len(interactions) + found  # above all others
    return scores
