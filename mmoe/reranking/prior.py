"""A reranker that has learned nothing: the sum of frozen similarities by which shortlists are made."""

from __future__ import annotations

import numpy as np

from mmoe.reranking.combiner import Combiner
from mmoe.reranking.families import STRING_WEIGHT, MentionSide, PairFeatures
from mmoe.reranking.frozen import COSINES
from mmoe.reranking.reranker import Reranker
from mmoe.reranking.space import EntitySide

SUMMED = ("text–text", "surface form–name", "image–image", "text–image", "image–text")
NEUTRAL = {f"cosine, {name}": COSINES[name] for name in SUMMED}
STRINGS = ("n-grams, surface form–name", "n-grams, longer name–name", "words, text–text")


def prior_reranker(entities: EntitySide, some: MentionSide, depth: int) -> Reranker:
    """Puts shortlists in the order in which `PairFeatures.order` makes them.

    Args:
        some: any mentions, encoded as those to come.
    """
    names = PairFeatures(entities, some, None).names
    means, weights = np.zeros(len(names)), np.zeros(len(names))
    for i, name in enumerate(names):
        if name in NEUTRAL:  # one that is missing counts as the mean
            weights[i], means[i] = 1, entities.space.means.neutral(*NEUTRAL[name])
        elif name in STRINGS:
            weights[i] = STRING_WEIGHT
    frozen = Combiner(names, means, np.ones(len(names)), weights, np.zeros(len(names)))
    return Reranker(
        depth=depth,
        space=entities.space,
        towers=None,
        frozen=frozen,
        with_matcher=None,
        uses_retrieval=False,
        calibration=None,
    )
