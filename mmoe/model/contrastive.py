"""M3EL's contrastive loss on features, before any matching."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def contrastive_loss(
    mentions_BP: Tensor,
    entities_BP: Tensor,
    gold_ids_B: Tensor,
    *,
    temperature: float,
    own_side: float,
    own_self: float = -torch.inf,
) -> Tensor:
    """InfoNCE in which the other samples of the same side are negatives too; the mean of both directions.

    Args:
        mentions_BP, entities_BP: each mention and its gold entity.
        gold_ids_B: int64; rows of one entity are no negatives of each other.
        own_side: weight of similarities within a side.
        own_self: logit of a sample with itself; the release has 0.
    Source: M3EL, intra-modal contrastive learning. Differs from the release: a sample is no negative of
        itself, and repeated entities are masked.
    """
    ours, theirs = (
        functional.normalize(mentions_BP, dim=-1),
        functional.normalize(entities_BP, dim=-1),
    )
    same_BB = gold_ids_B[:, None] == gold_ids_B
    itself = torch.eye(len(ours), dtype=torch.bool, device=ours.device)
    across = (ours @ theirs.T / temperature).masked_fill(same_BB & ~itself, -torch.inf)

    def within(side_BP: Tensor) -> Tensor:
        logits = own_side * (side_BP @ side_BP.T) / temperature
        return logits.masked_fill(same_BB, -torch.inf).masked_fill(itself, own_self)

    target = torch.arange(len(ours), device=ours.device)
    losses = [
        functional.cross_entropy(torch.cat([cross, own], dim=1), target)
        for cross, own in ((across, within(ours)), (across.T, within(theirs)))
    ]
    return torch.stack(losses).mean()
