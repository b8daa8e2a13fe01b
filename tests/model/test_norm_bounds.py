"""No convex combination of a mention's values leaves the bounds."""

from __future__ import annotations

import pytest
import torch

from mmoe.model.norm_bounds import norm_bounds


@pytest.mark.parametrize("shift", [0.0, 1.0, 5.0])
@pytest.mark.parametrize("seed", range(5))
def test_scores_lie_within_the_bounds(shift: float, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    vectors = torch.randn(3, 6, 8, generator=generator) + shift * torch.randn(
        8, generator=generator
    )
    vectors -= vectors.mean(-1, keepdim=True)
    mask = torch.arange(6) < torch.tensor([[6], [2], [1]])
    weights = torch.randn(7, 8, generator=generator)
    weights -= weights.mean(-1, keepdim=True)
    low, high = norm_bounds(vectors, mask, weights, 1e-5)
    assert bool((low <= high + 1e-5).all())
    for _ in range(200):
        share = torch.rand(3, 6, generator=generator).pow(4) * mask
        point = torch.einsum("bl,bld->bd", share / share.sum(1, keepdim=True), vectors)
        scores = point @ weights.T / (point.square().mean(1, keepdim=True) + 1e-5).sqrt()
        assert bool((scores <= high + 1e-4).all())
        assert bool((scores >= low - 1e-4).all())
