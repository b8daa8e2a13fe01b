"""Cosines of the frozen encoder's pooled embeddings, and sums of them."""

from __future__ import annotations

from collections.abc import Mapping
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


def mean_of(vectors: Vectors) -> NDArray[np.float32]:
    """The mean unit vector [P]; rows that are absent count for nothing."""
    count = max(1, int(vectors.present().sum()))
    mean: NDArray[np.float32] = vectors.unit_NP.sum(axis=0) / np.float32(count)  # absent ones are 0
    return mean


@dataclass(frozen=True)
class Means:
    """The mean unit vector of each kind of embedding, on both sides.

    Attributes:
        mention, entity: [P] by kind: text, name and, where there are images, image.
    """

    mention: Mapping[str, NDArray[np.float32]]
    entity: Mapping[str, NDArray[np.float32]]

    @classmethod
    def of(cls, mentions: SideVectors, entities: SideVectors) -> Means:
        """Those of some mentions, train mentions say, and of all entities."""
        ours, theirs = (
            {kind: mean_of(vectors) for kind, vectors in side.kinds().items()}
            for side in (mentions, entities)
        )
        return cls(ours, theirs)

    def neutral(self, of_mention: str, of_entity: str) -> float:
        """The mean cosine of all pairs, which is the product of the means."""
        return float(self.mention[of_mention] @ self.entity[of_entity])


class CosineTerms:
    """The cosines of all mentions with all entities, one a term, as parts of a score.

    A cosine with a missing side counts as the mean cosine of the pairs that have both: neither for nor
    against the entity.

    Args:
        terms: (mentions' vectors, entities' vectors) of each cosine.
        neutral: those means; None for these mentions' own.
    """

    def __init__(
        self,
        terms: Mapping[str, tuple[Vectors, Vectors]],
        neutral: Mapping[str, float] | None = None,
    ) -> None:
        self.names = tuple(terms)
        self._terms = [
            (mentions.unit_NP, mentions.present(), entities.unit_NP, entities.present())
            for mentions, entities in terms.values()
        ]
        if neutral is None:  # the mean of all products is the product of the means
            neutral = {name: float(mean_of(m) @ mean_of(e)) for name, (m, e) in terms.items()}
        self._neutral = [np.float32(neutral[name]) for name in terms]
        self._last: tuple[slice, NDArray[np.float32]] | None = None

    @classmethod
    def of(
        cls,
        mentions: SideVectors,
        entities: SideVectors,
        means: Means | None = None,
    ) -> CosineTerms:
        """Every cosine that the frozen encoder gives: those of MMoE's residual similarities.

        Args:
            means: of both sides; None for those of these mentions.
        """
        means = Means.of(mentions, entities) if means is None else means
        ours, theirs = mentions.kinds(), entities.kinds()
        sides = {
            name: pair for name, pair in SIDES.items() if pair[0] in ours and pair[1] in theirs
        }
        terms = {name: (ours[m], theirs[e]) for name, (m, e) in sides.items()}
        return cls(terms, {name: means.neutral(*pair) for name, pair in sides.items()})

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
