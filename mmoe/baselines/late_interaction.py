"""Baseline late interaction: each token's best partner on the other side, among a shortlist."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from mmoe.baselines.cosine import CosineTerms
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
        found: NDArray[np.float32] = np.sum(self.directions(mention, entities), axis=0)
        has = np.isfinite(found)
        found[~has] = found[has].mean() if has.any() else 0
        return found

    def directions(
        self, mention: int, entities: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """From the mention's tokens to the entities' and back, [n] each; NaN for a pair that lacks a side."""
        lengths = self.entities.lengths_N[entities]
        forth = np.full(len(entities), np.nan, dtype=np.float32)
        back = forth.copy()
        has = lengths > 0
        if not self.mentions.lengths_N[mention] or not has.any():
            return forth, back
        at = self.mentions.positions(np.array([mention]))
        ours = unit_rows(self.mentions.values_TC[at].astype(np.float32) - self.centre_C)
        at = self.entities.positions(entities[has])
        # torch makes float32 of float16 several times as fast as NumPy.
        values_TC = torch.from_numpy(self.entities.values_TC)
        theirs_TC = values_TC.index_select(0, torch.from_numpy(at)).float()
        products_LT = (torch.from_numpy(ours) @ theirs_TC.T).numpy()
        products_LT -= (ours @ self.centre_C)[:, None]
        products_LT *= self._inverse_T[at]  # cosines of the centred features
        lengths = lengths[has]
        starts = np.cumsum(lengths) - lengths
        forth[has] = np.maximum.reduceat(products_LT, starts, axis=1).mean(axis=0)
        back[has] = np.add.reduceat(products_LT.max(axis=0), starts) / lengths
        return forth, back


class TokenShortlists:
    """The entities of each mention that are compared token by token: the best by the plain sum of cosines.

    Args:
        terms: the cosines of some mentions; `interactions`, late interaction of their texts and images.
    """

    def __init__(self, terms: CosineTerms, interactions: Sequence[LateInteraction]) -> None:
        self.terms, self.interactions = terms, interactions
        self._last: tuple[slice, NDArray[np.int64], NDArray[np.float32]] | None = None

    def similarities(self, of: slice) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """The shortlists [B, D] of the mentions in a slice, and all similarities [B, D, F + K] on them.

        First the cosines, then late interaction; the last slice asked for is kept.
        """
        if self._last is None or self._last[0] != of:
            every_FBN = self.terms.each(of)
            total_BN = every_FBN.sum(axis=0)
            depth = min(DEPTH, total_BN.shape[1])
            best_BD = np.argpartition(-total_BN, depth - 1, axis=1)[:, :depth]
            cosines_FBD = np.take_along_axis(every_FBN, best_BD[None], axis=2)
            late_BDK = self.late(range(*of.indices(len(self.terms))), best_BD)
            self._last = of, best_BD, np.concatenate([cosines_FBD.transpose(1, 2, 0), late_BDK], 2)
        return self._last[1:]

    def late(self, mentions: Sequence[int], entities_BD: NDArray[np.int64]) -> NDArray[np.float32]:
        """Late interaction [B, D, K] of each mention with entities of its own."""
        rows = [
            [each.scores(mention, own) for each in self.interactions]
            for mention, own in zip(mentions, entities_BD, strict=True)
        ]
        return np.array(rows, dtype=np.float32).transpose(0, 2, 1)

    def score(self, of: slice, weights: NDArray[np.floating]) -> NDArray[np.float32]:
        """Scores [B, N]: the shortlist by a weighted sum of similarities, before all others by the plain sum.

        Args:
            weights: of the cosines, then of late interaction.
        """
        best_BD, similarities_BDF = self.similarities(of)
        own_BD = similarities_BDF @ weights.astype(np.float32)
        first_BN = self.terms.each(of).sum(axis=0)
        low, high = first_BN.min(axis=1, keepdims=True), first_BN.max(axis=1, keepdims=True)
        scores: NDArray[np.float32] = (first_BN - high) / np.maximum(high - low, 1e-9) - 1
        np.put_along_axis(scores, best_BD, own_BD - own_BD.min(axis=1, keepdims=True), axis=1)
        return scores
