"""What the frozen encoder says of a pair: cosines of pooled embeddings, and late interaction."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mmoe.baselines.cosine import SideVectors, Vectors
from mmoe.baselines.late_interaction import LateInteraction
from mmoe.reranking.pairs import Pairs
from mmoe.vectors import unit_rows

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


class CosineFeatures:
    """Cosines of texts, names and images, as they are and with both sides' vectors centred.

    Frozen encoders put all vectors of one kind into a narrow cone: less the mean, they tell more apart.
    A cosine is missing (NaN) where one of the two images is.

    Args:
        typical: positions of the mentions whose mean is taken for all; the entities' is over all of them.
    """

    def __init__(
        self, mentions: SideVectors, entities: SideVectors, typical: NDArray[np.int64]
    ) -> None:
        ours, theirs = _views(mentions, typical), _views(entities, None)
        self._terms: dict[str, tuple[Vectors, Vectors]] = {}
        for name, (of_mention, of_entity) in COSINES.items():
            if of_mention in ours and of_entity in theirs:
                pairs = zip(ours[of_mention], theirs[of_entity], strict=True)
                self._terms[f"cosine, {name}"], self._terms[f"centred cosine, {name}"] = pairs

    @property
    def names(self) -> tuple[str, ...]:
        """Of the features, in order."""
        return tuple(self._terms)

    def of(self, pairs: Pairs) -> NDArray[np.float32]:
        """All features [B, D, F] of pairs."""
        found = []
        for ours, theirs in self._terms.values():
            cosines_BD = np.einsum(
                "bp,bdp->bd", ours.values_NP[pairs.rows], theirs.values_NP[pairs.entities_BD]
            )
            both_BD = ours.present()[pairs.rows, None] & theirs.present()[pairs.entities_BD]
            found.append(np.where(both_BD, cosines_BD, np.nan))
        return np.stack(found, axis=-1).astype(np.float32)


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


def _views(
    side: SideVectors, typical: NDArray[np.int64] | None
) -> dict[str, tuple[Vectors, Vectors]]:
    """Each kind's unit vectors, as they are and centred; once, as several cosines read them."""
    kinds = {"text": side.text, "name": side.name, "image": side.image}
    return {
        kind: (Vectors(vectors.unit_NP, vectors.present_N), centred(vectors, typical))
        for kind, vectors in kinds.items()
        if vectors is not None
    }


def centred(vectors: Vectors, typical: NDArray[np.int64] | None) -> Vectors:
    """Unit vectors less their mean, made unit vectors again; rows that are absent count for nothing."""
    unit, present = vectors.unit_NP, vectors.present()
    rows = np.arange(len(unit)) if typical is None else typical
    rows = rows[present[rows]]
    mean = unit[rows].mean(axis=0) if len(rows) else np.zeros(unit.shape[1], dtype=np.float32)
    return Vectors(unit_rows(unit - mean), vectors.present_N)
