"""What stage rerank learns, as one object: it scores the shortlists of any mentions of its knowledge base."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmoe.errors import CheckpointError
from mmoe.reranking.calibration import Calibration
from mmoe.reranking.combiner import Combiner
from mmoe.reranking.context import ContextFeatures, TwoTowers
from mmoe.reranking.families import MentionSide, PairFeatures, context_inputs
from mmoe.reranking.pairs import Pairs
from mmoe.reranking.space import EntitySide, Space

SIMILARITIES, WITH_MATCHER = "reranked", "reranked with matcher"  # the systems, by their combiners
COSINE = "cosine, "  # how the names of the features begin that the second combiner reads once more


@dataclass(frozen=True)
class Reranker:
    """A fitted second look at shortlists.

    Attributes:
        depth: entities of a shortlist.
        towers: of contexts with the mention hidden; None where contexts are not used.
        frozen: combiner of the frozen features.
        with_matcher: combiner of what `frozen` says, the matcher's scores and the cosines; None without a
            matcher, or where it does worse on validation mentions.
        uses_retrieval: whether candidates are among the features.
        calibration: of its scores; None where it could not be fitted.
    """

    depth: int
    space: Space
    towers: TwoTowers | None
    frozen: Combiner
    with_matcher: Combiner | None
    uses_retrieval: bool
    calibration: Calibration | None

    def features(self, entities: EntitySide, mentions: MentionSide) -> PairFeatures:
        """The frozen features of any mentions, with the towers that learned from all train mentions.

        Raises:
            CheckpointError: if they are not those that the combiner was fitted on.
        """
        contexts, context = context_inputs(entities, mentions), None
        if self.towers is not None and contexts is not None:
            which = np.zeros(len(contexts), dtype=np.int64)
            context = ContextFeatures(contexts, entities.about, [self.towers], which)
        known = PairFeatures(entities, mentions, context)
        if known.names != self.frozen.names:
            missing = sorted({*self.frozen.names} ^ {*known.names})
            raise CheckpointError(
                f"the reranker was fitted on other features than there are now ({', '.join(missing)}); run "
                "stage rerank again"
            )
        return known

    def scores(
        self, known: PairFeatures, pairs: Pairs, matcher_MDU: NDArray[np.float32]
    ) -> NDArray[np.float64]:
        """Scores [M, D] of the shortlists, by which they are put in order.

        Args:
            matcher_MDU: the scores that the matcher's units give the pairs.
        """
        values_MDF = known.of(pairs)
        own_MD = self.frozen.scores(values_MDF)
        if self.with_matcher is None:
            return own_MD
        inputs = second_inputs(own_MD, matcher_MDU, values_MDF, known.names)
        return self.with_matcher.scores(inputs)


def second_inputs(
    own_MD: NDArray[np.float64],
    matcher_MDF: NDArray[np.float32],
    values_MDF: NDArray[np.float32],
    names: Sequence[str],
) -> NDArray[np.float64]:
    """What the second combiner reads: what the first says, what the matcher says, and the cosines."""
    return np.concatenate(
        [own_MD[..., None], matcher_MDF, values_MDF[..., _cosines(names)]], axis=-1
    )


def second_names(matcher: Sequence[str], names: Sequence[str]) -> list[str]:
    """The names of `second_inputs`."""
    return [SIMILARITIES, *matcher, *(names[i] for i in _cosines(names))]


def _cosines(names: Sequence[str]) -> list[int]:
    return [i for i, name in enumerate(names) if name.startswith(COSINE)]
