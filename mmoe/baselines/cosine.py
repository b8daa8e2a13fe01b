"""Cosines of the frozen encoder's pooled embeddings, and sums of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mmoe.vectors import unit_rows

# What is summed in each of these systems, in the order in which tables show them. The papers' CLIP
# compares texts with texts and images with images.
SUMS = {
    "cosine, text–text": ("text",),
    "cosine, surface form–name": ("name",),
    "two-part cosine": ("text", "name"),
    "cosine, image–image": ("image",),
    "CLIP zero-shot": ("text", "image"),
    "sum of frozen cosines": ("text", "name", "image", "text–image", "image–text"),
}
# Which vectors of the mention and of the entity each term compares; those with images where both have them.
SIDES = {
    "text": ("text", "text"),
    "name": ("name", "name"),
    "image": ("image", "image"),
    "text–image": ("text", "image"),
    "image–text": ("image", "text"),
}


@dataclass(frozen=True)
class Vectors:
    """Embeddings of one kind.

    Attributes:
        values_NP: float; rows that are not present hold anything finite.
        present_N: bool; None where all are.
    """

    values_NP: NDArray[np.floating]
    present_N: NDArray[np.bool_] | None = None

    @cached_property
    def unit_NP(self) -> NDArray[np.float32]:
        """Rows divided by their norm; absent ones become zero and are masked later."""
        unit = unit_rows(self.values_NP)
        return unit if self.present_N is None else unit * self.present_N[:, None]

    def take(self, rows: slice | NDArray[np.int64]) -> Vectors:
        """Those of some rows."""
        present_N = None if self.present_N is None else self.present_N[rows]
        return Vectors(self.values_NP[rows], present_N)

    def present(self) -> NDArray[np.bool_]:
        """bool [N]."""
        return np.ones(len(self.values_NP), bool) if self.present_N is None else self.present_N


@dataclass(frozen=True)
class SideVectors:
    """Pooled embeddings of the mentions, or of the entities.

    Attributes:
        image: None where the encoder is text-only.
    """

    text: Vectors
    name: Vectors
    image: Vectors | None

    def kinds(self) -> dict[str, Vectors]:
        """By kind: text, name and, where there are any, image."""
        kinds = {"text": self.text, "name": self.name, "image": self.image}
        return {name: vectors for name, vectors in kinds.items() if vectors is not None}

    def take(self, rows: slice) -> SideVectors:
        """Those of some rows."""
        image = None if self.image is None else self.image.take(rows)
        return SideVectors(self.text.take(rows), self.name.take(rows), image)


class CosineTerms:
    """The cosines of all mentions with all entities, one a term, as parts of a score.

    A cosine with a missing side counts as the mean cosine of the pairs that have both: neither for nor
    against the entity.

    Args:
        terms: (mentions' vectors, entities' vectors) of each cosine.
        typical: mentions over which that mean is taken; None for all.
        neutral: those means, where they are known.
    """

    def __init__(
        self,
        terms: Mapping[str, tuple[Vectors, Vectors]],
        typical: NDArray[np.int64] | None = None,
        neutral: Mapping[str, float] | None = None,
    ) -> None:
        self.names = tuple(terms)
        self._terms = [
            (mentions.unit_NP, mentions.present(), entities.unit_NP, entities.present())
            for mentions, entities in terms.values()
        ]
        rows = slice(None) if typical is None else typical
        self._neutral = [
            _mean_cosine(m[rows], has_m[rows], e, has_e) if neutral is None else neutral[name]
            for name, (m, has_m, e, has_e) in zip(terms, self._terms, strict=True)
        ]
        self._last: tuple[slice, NDArray[np.float32]] | None = None

    @classmethod
    def of(
        cls,
        mentions: SideVectors,
        entities: SideVectors,
        typical: NDArray[np.int64] | None = None,
        neutral: Callable[[str, str], float] | None = None,
    ) -> CosineTerms:
        """Every cosine that the frozen encoder gives: those of MMoE's residual similarities.

        Args:
            neutral: gives the mean cosine of a kind of the mentions' vectors with one of the entities'.
        """
        ours, theirs = mentions.kinds(), entities.kinds()
        sides = {
            name: pair for name, pair in SIDES.items() if pair[0] in ours and pair[1] in theirs
        }
        terms = {name: (ours[m], theirs[e]) for name, (m, e) in sides.items()}
        means = None if neutral is None else {name: neutral(*pair) for name, pair in sides.items()}
        return cls(terms, typical, means)

    def __len__(self) -> int:
        return len(self._terms[0][0])

    def each(self, of: slice) -> NDArray[np.float32]:
        """Every term's cosines [F, B, N] of the mentions in a slice; the last slice asked for is kept."""
        if self._last is None or self._last[0] != of:
            self._last = of, np.stack([self._cosines(i, of) for i in range(len(self.names))])
        return self._last[1]

    def score(self, of: slice, weights: NDArray[np.floating]) -> NDArray[np.float32]:
        """Their sum [B, N], each times its weight."""
        total: NDArray[np.float32] = np.tensordot(weights.astype(np.float32), self.each(of), axes=1)
        return total

    def weights_of(self, names: tuple[str, ...]) -> NDArray[np.float32]:
        """Weights that add up the terms of these names."""
        return np.array([name in names for name in self.names], dtype=np.float32)

    def sums(self) -> dict[str, NDArray[np.float32]]:
        """Weights of each system of `SUMS`; those that need images only where there are any."""
        return {
            system: self.weights_of(names)
            for system, names in SUMS.items()
            if set(names) <= set(self.names)
        }

    def _cosines(self, i: int, of: slice) -> NDArray[np.float32]:
        mentions, has_mention, entities, has_entity = self._terms[i]
        both = has_mention[of, None] & has_entity[None, :]
        return np.where(both, mentions[of] @ entities.T, self._neutral[i])


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
