"""Residual similarities: learned multiples of the encoder's own cosines, as inner products.

A coarse score that starts from a random projection throws away what the frozen encoder knows; these
terms keep it. They are ours, not the paper's (`model.residual: false` leaves them out).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from mmoe.model.features import SideFeatures, unit_vectors

INITIAL_SCALE = 20.0


class CosineResidual(nn.Module):
    """τ · cos(a, b) with a learned positive τ, and τ · b where one of the two is missing.

    As an inner product: the mention's vector is [τ â, τ b₀ has, τ b₀ (1 - has)], the entity's is
    [ê, 1 - has, 1]. b₀ is learned too; it starts at the mean cosine of unrelated pairs, so that a
    missing image is neither better nor worse than an arbitrary one.
    """

    def __init__(self) -> None:
        super().__init__()
        self.log_scale = nn.Parameter(torch.tensor(math.log(INITIAL_SCALE)))
        self.missing = nn.Parameter(torch.zeros(()))

    def mention(self, vectors_BP: Tensor, has_B: Tensor | None = None) -> Tensor:
        """[B, P + 2]."""
        has = _has(vectors_BP, has_B)
        scale = self.log_scale.exp()
        constant = scale * self.missing
        return torch.cat(
            [scale * has * unit_vectors(vectors_BP), constant * has, constant * (1 - has)], dim=-1
        )

    def entity(self, vectors_NP: Tensor, has_N: Tensor | None = None) -> Tensor:
        """[N, P + 2]."""
        has = _has(vectors_NP, has_N)
        return torch.cat([has * unit_vectors(vectors_NP), 1 - has, torch.ones_like(has)], dim=-1)

    @torch.no_grad()
    def calibrate(
        self, mentions_BP: Tensor, entities_NP: Tensor, has_B: Tensor | None, has_N: Tensor | None
    ) -> None:
        """Sets the similarity of a missing image to the mean cosine of all pairs given."""
        mentions = mentions_BP if has_B is None else mentions_BP[has_B]
        entities = entities_NP if has_N is None else entities_NP[has_N]
        if len(mentions) and len(entities):
            self.missing.copy_((unit_vectors(mentions) @ unit_vectors(entities).T).mean())


def _has(vectors: Tensor, has: Tensor | None) -> Tensor:
    if has is None:
        return vectors.new_ones(len(vectors), 1)
    return has[:, None].to(vectors.dtype)


def image_of(features: SideFeatures) -> tuple[Tensor, Tensor]:
    """Pooled images and their mask; only called where the store has images."""
    assert features.image_pooled_BP is not None
    assert features.has_image_B is not None
    return features.image_pooled_BP, features.has_image_B
