"""The baselines that the frozen encoder gives: cosines of texts, titles and pictures, and sums of them."""

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
        image: null where the encoder is text-only.
    """

    text: Vectors
    title: Vectors
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
        pictures.
    """
    texts, titles = (mentions.text, entities.text), (mentions.title, entities.title)
    terms = {
        "cosine, text–text": [texts],
        "cosine, word–name": [titles],
        "two-part cosine": [texts, titles],
    }
    if mentions.image is not None and entities.image is not None:
        pictures = (mentions.image, entities.image)
        across = [(mentions.text, entities.image), (mentions.image, entities.text)]
        terms["CLIP zero-shot, picture"] = [pictures]
        terms["CLIP zero-shot"] = [texts, pictures, *across]
    return {name: cosine_ranks(pairs, gold, typical) for name, pairs in terms.items()}
