"""Baseline late interaction: each token's best partner on the other side, among a shortlist."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mmoe.baselines.cosine import CosineTerms
from mmoe.features.tokens import Tokens, blocks, positions
from mmoe.vectors import unit_rows

DEPTH = 100  # entities of a mention that are compared token by token
BLOCK = 1 << 16  # tokens read at a time


class CentredTokens:
    """The entities' token features with what their centred cosines need, computed once for all mentions.

    Tokens are centred at the knowledge base's mean: frozen encoders put all of theirs into one direction.

    Args:
        centre_C: that mean, where it is known.
    """

    def __init__(self, entities: Tokens, centre_C: NDArray[np.float32] | None = None) -> None:
        self.entities, self.lengths_N = entities, entities.lengths_N
        self.starts_N = self.lengths_N.cumsum() - self.lengths_N
        self.centre_C = centre_C = centre_of(entities) if centre_C is None else centre_C
        norms = [np.linalg.norm(block.numpy() - centre_C, axis=1) for block in _blocks(entities)]
        norms_T = np.concatenate([np.empty(0, dtype=np.float32), *norms])
        # A token at the centre is like nothing; its norm is rounding.
        at_centre_T = norms_T < 1e-3 * np.linalg.norm(centre_C)
        self.inverse_T = np.where(at_centre_T, 0, 1 / np.maximum(norms_T, 1e-9))


class LateInteraction:
    """The mean over one side's tokens of the best cosine on the other side, both ways, added up.

    Source: MaxSim of ColBERT (Khattab and Zaharia, SIGIR 2020), which adds up one direction.
    """

    def __init__(self, mentions: Tokens, entities: CentredTokens) -> None:
        self.mentions, self.entities = mentions, entities

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
        theirs, lengths = self.entities, self.entities.lengths_N[entities]
        forth = np.full(len(entities), np.nan, dtype=np.float32)
        back = forth.copy()
        has = lengths > 0
        if not self.mentions.lengths_N[mention] or not has.any():
            return forth, back
        tokens_LC = self.mentions.gather(np.array([mention])).float().numpy()
        ours_LC = unit_rows(tokens_LC - theirs.centre_C)
        at = positions(theirs.starts_N[entities[has]], lengths[has])
        theirs_TC = theirs.entities.gather(entities[has]).float()
        products_LT = (torch.from_numpy(ours_LC) @ theirs_TC.T).numpy()
        products_LT -= (ours_LC @ theirs.centre_C)[:, None]
        products_LT *= theirs.inverse_T[at]  # cosines of the centred features
        lengths = lengths[has]
        starts = np.cumsum(lengths) - lengths
        forth[has] = np.maximum.reduceat(products_LT, starts, axis=1).mean(axis=0)
        back[has] = np.add.reduceat(products_LT.max(axis=0), starts) / lengths
        return forth, back


def centre_of(tokens: Tokens) -> NDArray[np.float32]:
    """The mean of all tokens, [C]."""
    sums = [block.numpy().sum(axis=0, dtype=np.float64) for block in _blocks(tokens)]
    mean: NDArray[np.float64] = np.sum(sums, axis=0) / max(1, int(tokens.lengths_N.sum()))
    return mean.astype(np.float32)


def _blocks(tokens: Tokens) -> Iterator[Tensor]:
    for block in blocks(tokens, BLOCK):
        yield block.float()  # torch is several times as fast at it as NumPy


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
            best_BD = np.argpartition(-total_BN, depth - 1, axis=1)[:, :depth].copy()
            cosines_FBD = np.take_along_axis(every_FBN, best_BD[None], axis=2)
            late_BDK = self.late(range(*of.indices(len(self.terms))), best_BD)
            self._last = of, best_BD, np.concatenate([cosines_FBD.transpose(1, 2, 0), late_BDK], 2)
        return self._last[1:]

    def late(self, mentions: Sequence[int], entities_BD: NDArray[np.int64]) -> NDArray[np.float32]:
        """Late interaction [B, D, K] of each mention with entities of its own."""
        late_BDK = np.empty((*entities_BD.shape, len(self.interactions)), dtype=np.float32)
        for mention, own_D, late_DK in zip(mentions, entities_BD, late_BDK, strict=True):
            for k, interaction in enumerate(self.interactions):
                late_DK[:, k] = interaction.scores(mention, own_D)
        return late_BDK

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
