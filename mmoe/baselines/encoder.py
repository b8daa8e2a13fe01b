"""The baselines that the frozen encoder gives: cosines of texts, names and images, and sums of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmoe.baselines.cosine import Vectors, cosine_ranks
from mmoe.evaluation.ranks import Ranks


@dataclass(frozen=True)
class SideVectors:
    """Pooled embeddings of the mentions, or of the entities.

    Attributes:
        image: None where the encoder is text-only.
    """

    text: Vectors
    name: Vectors
    image: Vectors | None


def encoder_ranks(
    mentions: SideVectors,
    entities: SideVectors,
    gold: NDArray[np.int64],
    typical: NDArray[np.int64] | None = None,
) -> dict[str, Ranks]:
    """Ranks by every cosine baseline.

    Args:
        gold: [M], position of each mention's gold entity.
        typical: see `cosine_ranks`.
    Returns:
        Method name to ranks, in the order in which tables show them; CLIP zero-shot only where there are
        images.
    """
    texts, names = (mentions.text, entities.text), (mentions.name, entities.name)
    terms = {
        "cosine, text–text": [texts],
        "cosine, surface form–name": [names],
        "two-part cosine": [texts, names],
    }
    if mentions.image is not None and entities.image is not None:
        images = (mentions.image, entities.image)
        across = [(mentions.text, entities.image), (mentions.image, entities.text)]
        terms["CLIP zero-shot, image"] = [images]
        terms["CLIP zero-shot"] = [texts, images, *across]
    return {name: cosine_ranks(pairs, gold, typical) for name, pairs in terms.items()}
