"""The three matching units: text and vision within a modality, cross between them."""

from __future__ import annotations

import math
from abc import abstractmethod

import torch
from torch import Tensor, nn

from mmoe.config.moe import MoeParams
from mmoe.model.attention import (
    attention_ball,
    attention_bounds,
    attention_scores,
    attention_scores_of_own,
    attention_vectors,
    own_context,
)
from mmoe.model.encoded import Column, EncodedUnit
from mmoe.model.experts import MixtureProjection, project
from mmoe.model.features import SideFeatures, Stem
from mmoe.model.matcher import Unit
from mmoe.model.neutral import NeutralConstant, image_mask
from mmoe.model.packed import Packed
from mmoe.model.residual import CosineResidual, image_of
from mmoe.model.token_linear import TokenLinear


class IntraUnit(Unit):
    """Coarse and fine matching within one modality: S = (h_e · h_m + h_e · mean(A V)) / 2.

    Source: MMoE §3.4, eq. 4 and 5. Differs from the release: S_cm is built from h and not from the
        projection's input, no LayerNorm on G, no padding in attention.
    """

    def __init__(self, dim: int, embed_dim: int, moe: MoeParams) -> None:
        super().__init__()
        self.projection = MixtureProjection(dim, embed_dim, moe)
        self.query = TokenLinear(embed_dim, embed_dim)
        self.key = TokenLinear(embed_dim, embed_dim)
        self.value = TokenLinear(embed_dim, embed_dim)
        self.scale = 1 / math.sqrt(embed_dim)

    def encode_mentions(self, inputs: Stem) -> EncodedUnit:
        coarse_BD, fine_TD, fine = self._project(inputs)
        values_TD = self.value(fine_TD)
        has_B1 = self.mask(inputs.features)
        if has_B1 is not None:
            coarse_BD, values_TD = coarse_BD * has_B1, values_TD * has_B1[fine.rows_T]
        residual = self.mention_residual(inputs.features)
        columns: dict[str, Column] = {
            "keys": fine.with_values(self.key(fine_TD)),
            "values": fine.with_values(values_TD),
        }
        return EncodedUnit(torch.cat([coarse_BD, *residual], dim=-1), columns)

    def encode_entities(self, inputs: Stem) -> EncodedUnit:
        coarse_ND, fine_TD, fine = self._project(inputs)
        residual = self.entity_residual(inputs.features)
        half_ND = coarse_ND / 2  # the score is the mean of S_cm and S_fm
        has_N1 = self.mask(inputs.features)
        if has_N1 is not None:
            half_ND = half_ND * has_N1
        columns: dict[str, Column] = {
            "queries": fine.with_values(self.query(fine_TD) * self.scale),
            "entity_vector": half_ND,
            "entity_norm": half_ND.detach().float().norm(dim=1),
        }
        return EncodedUnit(torch.cat([half_ND, *residual], dim=-1), columns)

    def fine_scores(self, mentions: EncodedUnit, entities: EncodedUnit) -> Tensor:
        return attention_scores(mentions, entities)

    def fine_scores_of_own(self, mentions: EncodedUnit, entities: EncodedUnit) -> Tensor:
        return attention_scores_of_own(mentions, entities)

    def fine_bounds(self, mentions: EncodedUnit, entities: EncodedUnit) -> tuple[Tensor, Tensor]:
        return attention_bounds(mentions, entities)

    def fine_ball(self, mentions: EncodedUnit, entities: EncodedUnit) -> tuple[Tensor, Tensor]:
        return attention_ball(mentions, entities)

    def fine_vectors(self, encoded: EncodedUnit) -> Tensor:
        return attention_vectors(encoded)

    def _project(self, stem: Stem) -> tuple[Tensor, Tensor, Packed]:
        coarse, fine = self.inputs(stem)
        return *project(self.projection, coarse, fine), fine

    def mask(self, features: SideFeatures) -> Tensor | None:  # noqa: ARG002
        """[B, 1]: 1 for a row that has the unit's modality, and 0; None where every row has it."""
        return None

    @abstractmethod
    def inputs(self, stem: Stem) -> tuple[Tensor, Packed]:
        """The unit's modality: coarse and fine features."""

    @abstractmethod
    def mention_residual(self, features: SideFeatures) -> list[Tensor]:
        """Residual similarities' vectors; none where they are switched off."""

    @abstractmethod
    def entity_residual(self, features: SideFeatures) -> list[Tensor]:
        """As `mention_residual`."""


class TextUnit(IntraUnit):
    """Text matching; residual: cosine of the texts and cosine of surface form and name."""

    def __init__(self, dim: int, embed_dim: int, moe: MoeParams, *, residual: bool) -> None:
        super().__init__(dim, embed_dim, moe)
        self.text_residual = CosineResidual() if residual else None
        self.name_residual = CosineResidual() if residual else None

    def inputs(self, stem: Stem) -> tuple[Tensor, Packed]:
        return stem.text_coarse_BC, stem.text_fine

    def mention_residual(self, features: SideFeatures) -> list[Tensor]:
        if self.text_residual is None or self.name_residual is None:
            return []
        return [
            self.text_residual.mention(features.text_pooled_BP),
            self.name_residual.mention(features.name_pooled_BP),
        ]

    def entity_residual(self, features: SideFeatures) -> list[Tensor]:
        if self.text_residual is None or self.name_residual is None:
            return []
        return [
            self.text_residual.entity(features.text_pooled_BP),
            self.name_residual.entity(features.name_pooled_BP),
        ]


class VisionUnit(IntraUnit):
    """Image matching, and a constant for a pair that lacks an image; residual: cosine of the pooled images.

    Differs from the release, where a missing image is a black one.
    """

    def __init__(self, dim: int, embed_dim: int, moe: MoeParams, *, residual: bool) -> None:
        super().__init__(dim, embed_dim, moe)
        self.image_residual = CosineResidual() if residual else None
        self.missing = NeutralConstant()

    def inputs(self, stem: Stem) -> tuple[Tensor, Packed]:
        assert stem.image_coarse_BD is not None
        assert stem.image_fine is not None
        return stem.image_coarse_BD, stem.image_fine

    def mask(self, features: SideFeatures) -> Tensor:
        return image_mask(features)

    def mention_residual(self, features: SideFeatures) -> list[Tensor]:
        constant_B2 = self.missing.mention(image_mask(features))
        if self.image_residual is None:
            return [constant_B2]
        return [constant_B2, self.image_residual.mention(*image_of(features))]

    def entity_residual(self, features: SideFeatures) -> list[Tensor]:
        constant_N2 = self.missing.entity(image_mask(features))
        if self.image_residual is None:
            return [constant_N2]
        return [constant_N2, self.image_residual.entity(*image_of(features))]

    def calibrate(self, mentions: Stem, entities: Stem) -> None:
        self.missing.calibrate(self, mentions, entities)
        if self.image_residual is not None:
            images_BP, has_B = image_of(mentions.features)
            images_NP, has_N = image_of(entities.features)
            self.image_residual.calibrate(images_BP, images_NP, has_B, has_N)


class CrossContext(nn.Module):
    """One modality's coarse state in the light of the other's tokens.

    LayerNorm(tanh(h) ⊛ h + softmax(h Hᵀ) H), the softmax over real tokens only.

    Source: MMoE eq. 6. Differs from the release: its gate is one number a row.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(dim)

    def forward(self, coarse_BD: Tensor, tokens: Packed) -> Tensor:
        context_BD = own_context(coarse_BD, tokens)
        gated: Tensor = self.norm(coarse_BD.tanh() * coarse_BD + context_BD)
        return gated


class CrossUnit(Unit):
    """Matching between modalities: S_C = (S_tvm + S_vtm) / 2, both inner products of context vectors.

    A pair that lacks an image gets a constant in their place. Residual: cosines of text and image, where the
    encoder puts both into one space; each needs one image and has a constant of its own without it.

    Source: MMoE eq. 6 and 7.
    """

    def __init__(self, text_dim: int, dim: int, moe: MoeParams, *, residual: bool) -> None:
        super().__init__()
        self.text_fit, self.image_fit = TokenLinear(text_dim, dim), TokenLinear(dim, dim)
        self.projection = MixtureProjection(dim, dim, moe)
        self.text_in_vision = CrossContext(dim)
        self.vision_in_text = CrossContext(dim)
        self.missing = NeutralConstant()
        self.text_image_residual = CosineResidual() if residual else None
        self.image_text_residual = CosineResidual() if residual else None

    def encode_mentions(self, inputs: Stem) -> EncodedUnit:
        has_B1 = image_mask(inputs.features)
        inner = [*(each * has_B1 for each in self._contexts(inputs)), self.missing.mention(has_B1)]
        if self.text_image_residual is not None and self.image_text_residual is not None:
            inner += [
                self.text_image_residual.mention(inputs.features.text_pooled_BP),
                self.image_text_residual.mention(*image_of(inputs.features)),
            ]
        return EncodedUnit(torch.cat(inner, dim=-1))

    def encode_entities(self, inputs: Stem) -> EncodedUnit:
        has_N1 = image_mask(inputs.features)
        halves = (context * has_N1 / 2 for context in self._contexts(inputs))
        inner = [*halves, self.missing.entity(has_N1)]
        if self.text_image_residual is not None and self.image_text_residual is not None:
            inner += [
                self.text_image_residual.entity(*image_of(inputs.features)),
                self.image_text_residual.entity(inputs.features.text_pooled_BP),
            ]
        return EncodedUnit(torch.cat(inner, dim=-1))

    def calibrate(self, mentions: Stem, entities: Stem) -> None:
        self.missing.calibrate(self, mentions, entities)
        if self.text_image_residual is not None and self.image_text_residual is not None:
            ours, theirs = mentions.features, entities.features
            (images_BP, has_B), (images_NP, has_N) = image_of(ours), image_of(theirs)
            self.text_image_residual.calibrate(ours.text_pooled_BP, images_NP, None, has_N)
            self.image_text_residual.calibrate(images_BP, theirs.text_pooled_BP, has_B, None)

    def _contexts(self, stem: Stem) -> list[Tensor]:
        assert stem.image_coarse_BD is not None
        assert stem.image_fine is not None
        text, text_tokens = project(
            self.projection,
            self.text_fit(stem.text_coarse_BC),
            stem.text_fine.with_values(self.text_fit(stem.text_fine.values_TC)),
        )
        image, image_tokens = project(
            self.projection,
            self.image_fit(stem.image_coarse_BD),
            stem.image_fine.with_values(self.image_fit(stem.image_fine.values_TC)),
        )
        return [
            self.text_in_vision(text, stem.image_fine.with_values(image_tokens)),
            self.vision_in_text(image, stem.text_fine.with_values(text_tokens)),
        ]
