"""The contrastive loss of the small CLIP."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def contrastive_loss(first_BP: Tensor, second_BP: Tensor, also_BB: Tensor, scale: Tensor) -> Tensor:
    """Symmetric InfoNCE in which what is also true is no negative.

    Args:
        first_BP, second_BP: float [B, P], of unit length; row i belongs to row i.
        also_BB: bool; [i, j] whether first i fits second j too. The diagonal does not count.
        scale: scalar; cosines are multiplied by it.
    """
    own_BB = torch.eye(len(also_BB), dtype=torch.bool, device=also_BB.device)
    logits_BB = (scale * first_BP @ second_BP.T).masked_fill(also_BB & ~own_BB, -torch.inf)
    target_B = torch.arange(len(logits_BB), device=logits_BB.device)
    there = functional.cross_entropy(logits_BB, target_B)
    back = functional.cross_entropy(logits_BB.T, target_B)
    return (there + back) / 2
