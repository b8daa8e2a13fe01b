"""What a pair gets from a unit that needs both images where one is missing: a constant, the same for all."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace

import torch
from torch import Tensor, nn

from mmoe.model.encoded import EncodedUnit, inner_scores
from mmoe.model.features import SideFeatures, Stem
from mmoe.model.matcher import Unit
from mmoe.model.residual import image_of


def image_mask(features: SideFeatures) -> Tensor:
    """[B, 1]: 1 for a row with an image, 0 for a row without."""
    images_BP, has_B = image_of(features)
    return has_B[:, None].to(images_BP.dtype)


def with_every_image(features: SideFeatures) -> SideFeatures:
    """The same features, a missing image being one like others, as published code has it.

    Only for features with `padded` widths: they hold the encoder's states of an all-zero image in its place.
    """
    if features.has_image_B is None:
        return features
    return replace(features, has_image_B=torch.ones_like(features.has_image_B))


CALIBRATION_ROWS = 64


class NeutralConstant(nn.Module):
    """A constant for pairs that lack an image on either side, as an inner product: learned, or 0.

    The mention's vector is [c · has, c · (1 - has)], the entity's [1 - has, 1]: c unless both have an image.
    """

    def __init__(self, *, learned: bool = True) -> None:
        super().__init__()
        self.value = nn.Parameter(torch.zeros(()), requires_grad=learned)

    @torch.no_grad()
    def calibrate(self, unit: Unit, mentions: Stem, entities: Stem) -> None:
        """Sets it to the unit's mean score of pairs that have both images: neither for nor against a pair."""
        sides = []
        for stem, encoded in (
            (mentions, unit.encode_mentions(mentions)),
            (entities, unit.encode_entities(entities)),
        ):
            _, has_B = image_of(stem.features)
            sides.append(encoded.select(torch.where(has_B)[0][:CALIBRATION_ROWS]))
        if self.value.requires_grad and len(sides[0]) and len(sides[1]):
            scores_BN, fine_BN = inner_scores(*sides), unit.fine_scores(*sides)
            mean = (scores_BN if fine_BN is None else scores_BN + fine_BN).mean()
            if torch.isfinite(mean):  # features that are NaN are the training's to name
                self.value.copy_(mean)

    def mention(self, has_B1: Tensor) -> Tensor:
        """[B, 2]."""
        return torch.cat([self.value * has_B1, self.value * (1 - has_B1)], dim=-1)

    def entity(self, has_N1: Tensor) -> Tensor:
        """[N, 2]."""
        return torch.cat([1 - has_N1, torch.ones_like(has_N1)], dim=-1)


class ContextUnit(Unit):
    """A unit whose score is the inner product of vectors that need an image; a constant without one.

    Attributes:
        missing: what such a pair gets.
    """

    missing: NeutralConstant

    def calibrate(self, mentions: Stem, entities: Stem) -> None:
        self.missing.calibrate(self, mentions, entities)

    @abstractmethod
    def context(self, inputs: Stem) -> Tensor:
        """Each row's vector, [B, D]; of a row without an image it does not count."""

    def encode_mentions(self, inputs: Stem) -> EncodedUnit:
        has_B1 = image_mask(inputs.features)
        vectors = [self.context(inputs) * has_B1, self.missing.mention(has_B1)]
        return EncodedUnit(torch.cat(vectors, dim=-1))

    def encode_entities(self, inputs: Stem) -> EncodedUnit:
        has_N1 = image_mask(inputs.features)
        vectors = [self.context(inputs) * has_N1, self.missing.entity(has_N1)]
        return EncodedUnit(torch.cat(vectors, dim=-1))
