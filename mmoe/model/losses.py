"""What training minimises: named terms, each a callable of one step's scores and features."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor
from torch.nn import functional

from mmoe.model.features import SideFeatures


@dataclass(frozen=True)
class LossBatch:
    """One training step, as a loss term sees it.

    Attributes:
        scores: [B, N] for each unit and for `overall`, of each mention with the distinct entities of its
            group: train.group_size mentions share their gold entities and mined ones as negatives.
        gold_B: int64, the column of each mention's gold entity.
        allowed_BN: bool, False for a column that the mention's group has no entity for.
        mentions: features of the B mentions.
        golds: gives the features of their gold entities, row by row; an entity may stand in several rows.
        gold_ids_B: int64; equal where two mentions have the same gold entity.
    """

    scores: dict[str, Tensor]
    gold_B: Tensor
    allowed_BN: Tensor
    mentions: SideFeatures
    golds: Callable[[], SideFeatures]
    gold_ids_B: Tensor


LossTerm: TypeAlias = Callable[[LossBatch], Tensor]


def cross_entropy_terms(names: Sequence[str]) -> dict[str, LossTerm]:
    """One cross entropy over the entities for each of `names` among the scores.

    Source: MMoE eq. 8. Differs from the release: columns are distinct entities, so an entity that is
        gold of two mentions in the batch is never its own negative.
    """
    return {name: _cross_entropy_of(name) for name in names}


def _cross_entropy_of(name: str) -> LossTerm:
    def term(batch: LossBatch) -> Tensor:
        scores_BN = batch.scores[name].masked_fill(~batch.allowed_BN, -torch.inf)
        return functional.cross_entropy(scores_BN, batch.gold_B)

    return term
