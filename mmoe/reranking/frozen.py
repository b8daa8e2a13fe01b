"""What the frozen encoder says of a pair: cosines of pooled embeddings, and late interaction."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmoe.baselines.cosine import Means, SideVectors, Vectors
from mmoe.baselines.late_interaction import LateInteraction
from mmoe.reranking.pairs import Pairs

# Which vectors of the mention and of the entity each cosine compares.
COSINES = {
    "text–text": ("text", "text"),
    "surface form–name": ("name", "name"),
    "surface form–text": ("name", "text"),
    "text–name": ("text", "name"),
    "image–image": ("image", "image"),
    "text–image": ("text", "image"),
    "image–text": ("image", "text"),
}

CENTRING = ("cosine", "centred cosine")
SHORTEST = 1e-6  # a shorter vector is the mean itself but for rounding


class EntityCosines:
    """The entities' side of all cosines, computed once for all mentions."""

    def __init__(self, entities: SideVectors, means: Means) -> None:
        self.means = means
        theirs = entities.kinds()
        self.kinds = {kind: _Kind.of(theirs[kind], means.entity[kind]) for kind in theirs}
        self.shifts_N = {
            name: theirs[of_entity].unit_NP @ means.mention[of_mention]
            for name, (of_mention, of_entity) in COSINES.items()
            if of_mention in means.mention and of_entity in theirs
        }


class CosineFeatures:
    """Cosines of texts, names and images, as they are and with both sides' vectors centred.

    Frozen encoders put all vectors of one kind into a narrow cone: less the mean, they tell more apart.
    A cosine is missing (NaN) where one of the two images is.
    """

    def __init__(self, entities: EntityCosines, mentions: SideVectors) -> None:
        means = entities.means
        ours = {k: _Kind.of(each, means.mention[k]) for k, each in mentions.kinds().items()}
        self._terms = {
            name: _Cosine(ours[of_mention], entities.kinds[of_entity], entities.shifts_N[name])
            for name, (of_mention, of_entity) in COSINES.items()
            if of_mention in ours and of_entity in entities.kinds
        }

    @property
    def names(self) -> tuple[str, ...]:
        """Of the features, in order."""
        return tuple(f"{kind}, {name}" for name in self._terms for kind in CENTRING)

    def of(self, pairs: Pairs) -> NDArray[np.float32]:
        """All features [B, D, F] of pairs."""
        found = [each for term in self._terms.values() for each in term.of(pairs)]
        return np.stack(found, axis=-1).astype(np.float32)


@dataclass(frozen=True)
class _Kind:
    """Vectors of one kind, their mean, and how long each unit vector less the mean is."""

    vectors: Vectors
    mean_P: NDArray[np.float32]
    length_N: NDArray[np.float32]

    @classmethod
    def of(cls, vectors: Vectors, mean_P: NDArray[np.float32]) -> _Kind:
        unit_NP = vectors.unit_NP
        squared_N = np.einsum("np,np->n", unit_NP, unit_NP) - 2 * (unit_NP @ mean_P)
        return cls(vectors, mean_P, np.sqrt(np.maximum(squared_N + mean_P @ mean_P, 0)))


class _Cosine:
    """A cosine, and the same with both sides' vectors centred, which is never held:

    (u - mean u) · (v - mean v) = u · v - u · mean v - mean u · v + mean u · mean v.

    Args:
        shift_N: mean u · v of all entities.
    """

    def __init__(self, ours: _Kind, theirs: _Kind, shift_N: NDArray[np.float32]) -> None:
        self._ours, self._theirs, self._shift_N = ours, theirs, shift_N
        self._shift_M = ours.vectors.unit_NP @ theirs.mean_P
        self._shift = ours.mean_P @ theirs.mean_P

    def of(self, pairs: Pairs) -> list[NDArray[np.float32]]:
        """Both [B, D]; NaN for a pair that lacks a side."""
        rows, entities_BD = pairs.rows, pairs.entities_BD
        ours, theirs = self._ours.vectors, self._theirs.vectors
        cosines_BD = np.einsum("bp,bdp->bd", ours.unit_NP[rows], theirs.unit_NP[entities_BD])
        shift_BD = self._shift_M[rows, None] + self._shift_N[entities_BD] - self._shift
        length_BD = self._ours.length_N[rows, None] * self._theirs.length_N[entities_BD]
        both_BD = ours.present()[rows, None] & theirs.present()[entities_BD]
        return [
            np.where(both_BD, cosines_BD, np.nan),
            np.where(both_BD, (cosines_BD - shift_BD) / np.maximum(length_BD, SHORTEST), np.nan),
        ]


class LateFeatures:
    """Late interaction, each direction a feature; missing (NaN) where one of the two sides is.

    Args:
        interactions: by what they compare, "text" or "image".
    """

    def __init__(self, interactions: dict[str, LateInteraction]) -> None:
        self._interactions = interactions

    @property
    def names(self) -> tuple[str, ...]:
        """Of the features, in order."""
        return tuple(
            f"late interaction, {kind}, {direction}"
            for kind in self._interactions
            for direction in ("mention to entity", "entity to mention")
        )

    def of(self, pairs: Pairs) -> NDArray[np.float32]:
        """All features [B, D, F] of pairs."""
        found_BDF = np.empty((*pairs.entities_BD.shape, len(self.names)), dtype=np.float32)
        each = zip(pairs.rows.tolist(), pairs.entities_BD, found_BDF, strict=True)
        for mention, entities_D, found_DF in each:
            for k, interaction in enumerate(self._interactions.values()):
                found_DF[:, 2 * k], found_DF[:, 2 * k + 1] = interaction.directions(
                    mention, entities_D
                )
        return found_BDF
