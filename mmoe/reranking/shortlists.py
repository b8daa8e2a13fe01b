"""Shortlists: the entities of each mention that get a second look, and ranks by what it says."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmoe.evaluation.ranks import Ranks, ScoresOf, count_ranks
from mmoe.reranking.pairs import Pairs

CHUNK = 64  # mentions whose scores over the whole knowledge base are held at a time


@dataclass(frozen=True)
class Shortlists:
    """The entities of some mentions that are looked at closely, best first by the plain sum of similarities.

    Attributes:
        pairs: [M] mentions with D entities each.
        gold_M: where the gold entity stands in the list, -1 if it is not in it.
        ranks: of the gold entity in that order over the whole knowledge base.
    """

    pairs: Pairs
    gold_M: NDArray[np.int64]
    ranks: Ranks

    @property
    def recall(self) -> float:
        """Share of the mentions whose list holds the gold entity, in percent."""
        return round(100 * float((self.gold_M >= 0).sum()) / max(1, len(self.gold_M)), 2)

    def reranked(self, scores_MD: NDArray[np.floating]) -> Ranks:
        """Ranks by other scores on the lists; a gold entity outside keeps its rank, behind the list."""
        depth = scores_MD.shape[1]
        found, inside = count_ranks(scores_MD, np.maximum(self.gold_M, 0)), self.gold_M >= 0

        def ranks(in_list: NDArray[np.int64], in_order: NDArray[np.int64]) -> NDArray[np.int64]:
            return np.where(inside, in_list, np.maximum(in_order, depth + 1))

        return Ranks(
            ranks(found.pessimistic, self.ranks.pessimistic),
            ranks(found.optimistic, self.ranks.optimistic),
        )


def make_shortlists(
    order: ScoresOf, gold: NDArray[np.int64], rows: range, num_entities: int, depth: int
) -> Shortlists:
    """The shortlists of mentions that stand one behind the other; equal scores keep the entities' order.

    Args:
        order: scores of any mentions with all entities.
        gold: int64, positions of all mentions' gold entities.
        rows: the mentions.
    """
    depth = min(depth, num_entities)
    entities_MD = np.empty((len(rows), depth), dtype=np.int64)
    ranks = []
    for start in range(rows.start, rows.stop, CHUNK):
        part = slice(start, min(start + CHUNK, rows.stop))
        scores_BN = order(part)
        ranks.append(count_ranks(scores_BN, gold[part]))
        entities_MD[part.start - rows.start : part.stop - rows.start] = best_of(scores_BN, depth)
    mentions = np.arange(rows.start, rows.stop)
    hits_MD = entities_MD == gold[mentions, None]
    gold_M = np.where(hits_MD.any(axis=1), hits_MD.argmax(axis=1), -1)
    return Shortlists(Pairs(mentions, entities_MD), gold_M, Ranks.joined(ranks))


def best_of(scores_BN: NDArray[np.floating], depth: int) -> NDArray[np.int64]:
    """The best entities [B, depth] of each mention, best first; equal ones in the entities' order."""
    best_BD = np.empty((len(scores_BN), depth), dtype=np.int64)
    least_B = np.partition(scores_BN, -depth, axis=1)[:, -depth]
    for scores_N, least, best_D in zip(scores_BN, least_B, best_BD, strict=True):
        (good,) = np.nonzero(scores_N >= least)
        best_D[:] = good[np.argsort(-scores_N[good], kind="stable")[:depth]]
    return best_BD
