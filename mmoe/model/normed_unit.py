"""The matching unit within a modality that MIMIC, M3EL and MMoE's release share: a LayerNorm on mean(A V)."""

from __future__ import annotations

import math
from abc import abstractmethod

import torch
from torch import Tensor, nn

from mmoe.model.attention import mean_weights, mean_weights_of_own
from mmoe.model.encoded import Column, EncodedUnit
from mmoe.model.features import Stem
from mmoe.model.matcher import Unit
from mmoe.model.neutral import NeutralConstant, image_mask
from mmoe.model.norm_bounds import norm_bounds
from mmoe.model.packed import Packed
from mmoe.model.released_mixture import ReleasedMixture, joined, parted
from mmoe.model.token_linear import TokenLinear, in_full_precision


class NormedUnit(Unit):
    """S = (f_m · f_e + h_e · LayerNorm(mean(A V))) / 2 on LayerNormed inputs f.

    The coarse part takes the inputs f, as the releases have it, which keeps the encoder's cosine. Without
    experts h is linear in the coarse input, and queries, keys and values are linear in the tokens.

    Args:
        mixture: experts that the coarse feature and the tokens go through first; then h is what comes out.
    Source: MIMIC, text-based intra-modal matching; M3EL, intra-modal matching; with experts MMoE's release.
    """

    def __init__(self, dim: int, embed_dim: int, mixture: ReleasedMixture | None = None) -> None:
        super().__init__()
        self.mixture = mixture
        self.coarse = TokenLinear(dim, embed_dim) if mixture is None else nn.Identity()
        width = dim if mixture is None else embed_dim
        self.query, self.key = TokenLinear(width, embed_dim), TokenLinear(width, embed_dim)
        self.value = TokenLinear(width, embed_dim)
        self.norm = nn.LayerNorm(embed_dim)
        self.scale = 1 / math.sqrt(embed_dim)

    @abstractmethod
    def inputs(self, stem: Stem) -> tuple[Tensor, Packed]:
        """The unit's modality: coarse and fine features."""

    def encode_mentions(self, inputs: Stem) -> EncodedUnit:
        coarse_BC, fine = self.inputs(inputs)
        _, fine = self._mixed(coarse_BC, fine)
        columns: dict[str, Column] = {
            "keys": fine.with_values(self.key(fine.values_TC)),
            "values": fine.with_values(self.value(fine.values_TC)),
        }
        return EncodedUnit(coarse_BC, columns)

    def encode_entities(self, inputs: Stem) -> EncodedUnit:
        coarse_NC, fine = self.inputs(inputs)
        mixed_NC, fine = self._mixed(coarse_NC, fine)
        columns: dict[str, Column] = {
            "queries": fine.with_values(self.query(fine.values_TC) * self.scale),
            "entity_vector": self.coarse(mixed_NC) / 2,
        }
        return EncodedUnit(coarse_NC / 2, columns)

    def fine_scores(self, mentions: EncodedUnit, entities: EncodedUnit) -> Tensor:
        mean_NBL = mean_weights(mentions, entities)
        values_BLD, _ = mentions.packed("values").padded()
        taken_BND = torch.einsum("nbl,bld->bnd", mean_NBL, values_BLD)
        return self._normed_dot(taken_BND, entities.tensor("entity_vector"))

    def fine_scores_of_own(self, mentions: EncodedUnit, entities: EncodedUnit) -> Tensor:
        mean_BnL = mean_weights_of_own(mentions, entities)
        values_BLD, _ = mentions.packed("values").padded()
        vector_ND = entities.tensor("entity_vector")
        return self._normed_dot(mean_BnL @ values_BLD, vector_ND.view(*mean_BnL.shape[:2], -1))

    def fine_bounds(self, mentions: EncodedUnit, entities: EncodedUnit) -> tuple[Tensor, Tensor]:
        """From LN(G) · h = (γ h) · G / σ(G) + β · h with G, centred, in the hull of the centred values."""
        values_BLD, mask_BL = mentions.packed("values").padded()
        vector_ND = entities.tensor("entity_vector")
        low, high = norm_bounds(
            _centred(values_BLD), mask_BL, _centred(vector_ND * self.norm.weight), self.norm.eps
        )
        constant_N = vector_ND @ self.norm.bias
        return low + constant_N, high + constant_N

    def _mixed(self, coarse_BC: Tensor, fine: Packed) -> tuple[Tensor, Packed]:
        """Coarse feature and tokens behind the experts, or as they are."""
        if self.mixture is None:
            return coarse_BC, fine
        sequences_BLC = joined(coarse_BC, fine)
        return parted(self.mixture(sequences_BLC, sequences_BLC), fine)

    def _normed_dot(self, taken_BND: Tensor, vector_ND: Tensor) -> Tensor:
        """Entity vectors times LayerNorm of what attention takes, [B, N]; never in half precision."""
        with torch.autocast(taken_BND.device.type, enabled=False):
            normed_BND = self.norm(in_full_precision(taken_BND))
            scores: Tensor = (normed_BND * in_full_precision(vector_ND)).sum(dim=-1)
        return scores


class NormedTextUnit(NormedUnit):
    """`NormedUnit` on texts."""

    def inputs(self, stem: Stem) -> tuple[Tensor, Packed]:
        return stem.text_coarse_BC, stem.text_fine


class NormedImageUnit(NormedUnit):
    """`NormedUnit` on images; a pair that lacks one gets a constant.

    Args:
        learned_missing: whether that constant is learned; it is 0 otherwise.
    """

    def __init__(
        self,
        dim: int,
        embed_dim: int,
        mixture: ReleasedMixture | None = None,
        *,
        learned_missing: bool = True,
    ) -> None:
        super().__init__(dim, embed_dim, mixture)
        self.missing = NeutralConstant(learned=learned_missing)

    def inputs(self, stem: Stem) -> tuple[Tensor, Packed]:
        assert stem.image_coarse_BD is not None
        assert stem.image_fine is not None
        return stem.image_coarse_BD, stem.image_fine

    def encode_mentions(self, inputs: Stem) -> EncodedUnit:
        has_B1 = image_mask(inputs.features)
        return self._masked(super().encode_mentions(inputs), has_B1, self.missing.mention(has_B1))

    def encode_entities(self, inputs: Stem) -> EncodedUnit:
        has_N1 = image_mask(inputs.features)
        return self._masked(super().encode_entities(inputs), has_N1, self.missing.entity(has_N1))

    def calibrate(self, mentions: Stem, entities: Stem) -> None:
        self.missing.calibrate(self, mentions, entities)

    def fine_scores(self, mentions: EncodedUnit, entities: EncodedUnit) -> Tensor:
        both_BN = mentions.tensor("has") @ entities.tensor("has").T
        return super().fine_scores(mentions, entities) * both_BN

    def fine_scores_of_own(self, mentions: EncodedUnit, entities: EncodedUnit) -> Tensor:
        both_Bn = mentions.tensor("has") * entities.tensor("has").view(len(mentions), -1)
        return super().fine_scores_of_own(mentions, entities) * both_Bn

    def fine_bounds(self, mentions: EncodedUnit, entities: EncodedUnit) -> tuple[Tensor, Tensor]:
        both_BN = mentions.tensor("has") @ entities.tensor("has").T
        low, high = super().fine_bounds(mentions, entities)
        return low * both_BN, high * both_BN

    def _masked(self, unit: EncodedUnit, has_B1: Tensor, constant_B2: Tensor) -> EncodedUnit:
        inner_BI = torch.cat([unit.inner_BI * has_B1, constant_B2], dim=-1)
        return EncodedUnit(inner_BI, {**unit.columns, "has": has_B1})


def _centred(vectors: Tensor) -> Tensor:
    return vectors - vectors.mean(dim=-1, keepdim=True)
