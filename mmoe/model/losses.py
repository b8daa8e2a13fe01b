"""The contrastive loss: cross entropies of the overall score and of each unit's own."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional


def matching_loss(
    scores: dict[str, Tensor],
    gold_B: Tensor,
    allowed_BN: Tensor,
    terms: Sequence[str],
) -> dict[str, Tensor]:
    """One cross entropy a term; their sum is what training minimises.

    Args:
        scores: [B, N] a unit, and `overall`.
        gold_B: int64, the column of each mention's gold entity.
        allowed_BN: bool, False for a column that repeats another entity of the row.
        terms: names in `scores`; those of absent units are left out.
    Source: MMoE eq. 8. Differs from the release: columns are distinct entities, so an entity that is
        gold of two mentions in the batch is never its own negative.
    """
    return {
        term: functional.cross_entropy(scores[term].masked_fill(~allowed_BN, -torch.inf), gold_B)
        for term in terms
        if term in scores
    }
