"""A reranker that has learned nothing: the sum of frozen similarities by which shortlists are made."""

from __future__ import annotations

import numpy as np

from mmoe.baselines.cosine import SIDES
from mmoe.reranking.combiner import Combiner
from mmoe.reranking.families import STRING_WEIGHT, MentionSide, PairFeatures
from mmoe.reranking.reranker import Reranker
from mmoe.reranking.space import EntitySide

COSINES = {
    "cosine, text–text": SIDES["text"],
    "cosine, surface form–name": SIDES["name"],
    "cosine, image–image": SIDES["image"],
    "cosine, text–image": SIDES["text–image"],
    "cosine, image–text": SIDES["image–text"],
}
STRINGS = ("n-grams, surface form–name", "n-grams, longer name–name", "words, text–text")


def prior_reranker(entities: EntitySide, some: MentionSide, depth: int) -> Reranker:
    """Puts shortlists in the order in which `PairFeatures.order` makes them.

    Args:
        some: any mentions, encoded as those to come.
    """
    names = PairFeatures(entities, some, None).names
    means, weights = np.zeros(len(names)), np.zeros(len(names))
    for i, name in enumerate(names):
        if name in COSINES:  # one that is missing counts as the mean
            weights[i], means[i] = 1, entities.space.means.neutral(*COSINES[name])
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
