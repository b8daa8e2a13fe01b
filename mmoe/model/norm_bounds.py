"""Bounds of a fine score behind a LayerNorm: a · G / sqrt(|G|²/D + ε), G a convex combination."""

from __future__ import annotations

import math

import torch
from torch import Tensor

STEPS = 30


def hull_norm(vectors_BLD: Tensor, mask_BL: Tensor, steps: int = STEPS) -> Tensor:
    """A lower bound [B] of the smallest norm in each row's convex hull.

    Frank-Wolfe on |x|²: at any point x of the hull every y in it has y · x >= min_j V_j · x, so
    |y| >= min_j V_j · x / |x|. The best such value of all steps is kept.

    Args:
        mask_BL: bool, True for real tokens, of which each row has at least one.
    """
    point = (vectors_BLD * mask_BL[..., None]).sum(1) / mask_BL.sum(1, keepdim=True)
    best = vectors_BLD.new_zeros(len(vectors_BLD))
    for _ in range(steps):
        worth = torch.einsum("bld,bd->bl", vectors_BLD, point).masked_fill(~mask_BL, torch.inf)
        least, at = worth.min(dim=1)
        best = torch.maximum(best, least / point.norm(dim=1).clamp(min=1e-12))
        corner = vectors_BLD[torch.arange(len(at), device=at.device), at]
        step = corner - point
        size = -(point * step).sum(1) / step.square().sum(1).clamp(min=1e-12)
        point = point + size.clamp(0, 1)[:, None] * step
    return best


def norm_bounds(
    vectors_BLD: Tensor, mask_BL: Tensor, weights_ND: Tensor, eps: float
) -> tuple[Tensor, Tensor]:
    """Lower and upper bounds [B, N] of a · G / sqrt(|G|²/D + eps) over all G in each row's hull.

    Args:
        vectors_BLD: V_j, centred over D.
        weights_ND: a, the LayerNorm's weight times the entity vector, centred over D.
    """
    dim = vectors_BLD.shape[2]
    worth_BLN = vectors_BLD @ weights_ND.T
    padding_BL1 = ~mask_BL[..., None]
    high = worth_BLN.masked_fill(padding_BL1, -torch.inf).amax(dim=1)
    low = worth_BLN.masked_fill(padding_BL1, torch.inf).amin(dim=1)
    longest = vectors_BLD.norm(dim=2).masked_fill(~mask_BL, 0).amax(dim=1)
    small = (hull_norm(vectors_BLD, mask_BL).square() / dim + eps).sqrt()[:, None]
    large = (longest.square() / dim + eps).sqrt()[:, None]
    most = math.sqrt(dim) * weights_ND.norm(dim=1)
    upper = torch.where(high >= 0, torch.minimum(high / small, most), high / large)
    lower = torch.where(low <= 0, torch.maximum(low / small, -most), low / large)
    return lower, upper
