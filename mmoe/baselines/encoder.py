"""The baselines that the frozen encoder gives: cosines of texts, names and images, and sums of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmoe.baselines.cosine import CHUNK, CosineTerms, Vectors, cosine_ranks
from mmoe.baselines.learned import fit_weights
from mmoe.evaluation.ranks import Ranks, count_ranks_in_chunks


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
    found = cosine_pairs(mentions, entities)
    terms = {
        "cosine, text–text": ["text"],
        "cosine, surface form–name": ["name"],
        "two-part cosine": ["text", "name"],
    }
    if "image" in found:
        terms["CLIP zero-shot, image"] = ["image"]
        terms["CLIP zero-shot"] = [name for name in found if name != "name"]
        terms["sum of frozen cosines"] = list(found)
    return {
        name: cosine_ranks([found[term] for term in chosen], gold, typical)
        for name, chosen in terms.items()
    }


def learned_ranks(
    train: SideVectors,
    train_gold: NDArray[np.int64],
    mentions: SideVectors,
    entities: SideVectors,
    gold: NDArray[np.int64],
) -> Ranks:
    """Ranks by the frozen cosines with weights that are learned from the train mentions.

    Args:
        train_gold, gold: positions of the gold entities of `train` and of `mentions`.
    """
    weights = fit_weights(CosineTerms(list(cosine_pairs(train, entities).values())), train_gold)
    terms = CosineTerms(list(cosine_pairs(mentions, entities).values()))
    return count_ranks_in_chunks(lambda of: terms.score(of, weights), gold, CHUNK)


def cosine_pairs(
    mentions: SideVectors, entities: SideVectors
) -> dict[str, tuple[Vectors, Vectors]]:
    """Both sides of every cosine that the frozen encoder gives: those of MMoE's residual similarities."""
    pairs = {"text": (mentions.text, entities.text), "name": (mentions.name, entities.name)}
    if mentions.image is None or entities.image is None:
        return pairs
    pairs["image"] = (mentions.image, entities.image)
    pairs["text–image"] = (mentions.text, entities.image)
    pairs["image–text"] = (mentions.image, entities.text)
    return pairs
