"""M3EL: intra-modal matching, cross-modal soft alignment, and a contrastive loss on the features."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn import functional

from mmoe.config.m3el import M3elParams
from mmoe.model.contrastive import contrastive_loss
from mmoe.model.features import SideFeatures, Stem
from mmoe.model.losses import LossBatch, LossTerm
from mmoe.model.matcher import MatcherSpec, SumOfUnits, Unit
from mmoe.model.neutral import ContextUnit, NeutralConstant, with_every_image
from mmoe.model.normed_unit import NormedImageUnit, NormedTextUnit
from mmoe.model.packed import Packed
from mmoe.model.residual import image_of
from mmoe.model.token_linear import TokenLinear

TEMPERATURES = (2.0, 2.5, 3.5, 4.5)  # of the heads; the last head takes the maximum


class SoftAlignment(nn.Module):
    """One modality's coarse state in the light of the other's tokens, in one direction or in both.

    match(p, q) = ReLU(W(softmax(p · W(q)ᵀ) q)). One way, what a text takes from its patches is fused by a
    gate with the pooled match of the patches with the text; both ways, both matches are pooled together.

    Source: M3EL, cross-modal matching. As its release has it, patches matched with a single text state come
        out equal.
    """

    def __init__(self, text_dim: int, dim: int, *, both_ways: bool) -> None:
        super().__init__()
        self.text_fc, self.image_fc = TokenLinear(text_dim, dim), TokenLinear(dim, dim)
        self.match_fc = nn.Linear(dim, dim)
        self.fusion = None if both_ways else nn.Linear(dim, dim)
        self.gate_fc = nn.Linear(dim, 1)
        self.norm = nn.LayerNorm(dim)
        self.head_weights: Tensor  # the release has them, and does not train them
        self.register_buffer("head_weights", torch.ones(len(TEMPERATURES) + 1))

    def forward(self, stem: Stem) -> list[Tensor]:
        """[B, D] of each direction: the text in its image and, both ways, the image in its text."""
        assert stem.image_coarse_BD is not None
        assert stem.image_fine is not None
        text_BD = self.text_fc(stem.text_coarse_BC)
        patches = stem.image_fine.with_values(self.image_fc(stem.image_fine.values_TC))
        if self.fusion is not None:
            return [self._one_way(text_BD, patches, self.fusion)]
        image_BD = self.image_fc(stem.image_coarse_BD)
        tokens = stem.text_fine.with_values(self.text_fc(stem.text_fine.values_TC))
        return [self._both_ways(text_BD, patches), self._both_ways(image_BD, tokens)]

    def _one_way(self, state_BD: Tensor, tokens: Packed, fusion: nn.Linear) -> Tensor:
        taken_BD, given_BLD, mask_BL = self._matches(state_BD, tokens)
        pooled_BD = self._pooled(given_BLD, mask_BL)
        share_BD = (fusion(taken_BD) + fusion(pooled_BD)).sigmoid()
        return self._gated(state_BD, taken_BD * share_BD + pooled_BD * (1 - share_BD))

    def _both_ways(self, state_BD: Tensor, tokens: Packed) -> Tensor:
        taken_BD, given_BLD, mask_BL = self._matches(state_BD, tokens)
        every_BLD = torch.cat([taken_BD[:, None], given_BLD], dim=1)
        return self._gated(
            state_BD, self._pooled(every_BLD, functional.pad(mask_BL, (1, 0), value=True))
        )

    def _matches(self, state_BD: Tensor, tokens: Packed) -> tuple[Tensor, Tensor, Tensor]:
        """match(state, tokens) [B, D], match(tokens, state) [B, L, D], and the tokens' mask."""
        tokens_BLD, mask_BL = tokens.padded()
        logits_BL = torch.einsum("bd,bld->bl", state_BD, self.match_fc(tokens_BLD))
        weights_BL = logits_BL.masked_fill(~mask_BL, -torch.inf).softmax(dim=-1)
        taken_BD = self.match_fc(torch.einsum("bl,bld->bd", weights_BL, tokens_BLD)).relu()
        # The softmax over a single state is 1, whatever the token.
        given_BD = self.match_fc(state_BD).relu()
        return taken_BD, given_BD[:, None].expand_as(tokens_BLD), mask_BL

    def _pooled(self, vectors_BLD: Tensor, mask_BL: Tensor) -> Tensor:
        """Multi-head residual attention, by entry: the mean over heads of mean(x) + Σ softmax(T x) x."""
        padding_BL1 = ~mask_BL[..., None]
        mean_BD = vectors_BLD.masked_fill(padding_BL1, 0).sum(dim=1) / mask_BL.sum(
            dim=1, keepdim=True
        )
        heads = [
            (
                (vectors_BLD * t).masked_fill(padding_BL1, -torch.inf).softmax(dim=1) * vectors_BLD
            ).sum(dim=1)
            for t in TEMPERATURES
        ]
        heads.append(vectors_BLD.masked_fill(padding_BL1, -torch.inf).amax(dim=1))
        pooled_HBD = mean_BD + torch.stack(heads)
        return torch.einsum("h,hbd->bd", self.head_weights.to(pooled_HBD.dtype), pooled_HBD) / len(
            heads
        )

    def _gated(self, state_BD: Tensor, context_BD: Tensor) -> Tensor:
        gated: Tensor = self.norm(self.gate_fc(state_BD).tanh() * state_BD + context_BD)
        return gated


class AlignmentUnit(ContextUnit):
    """Inner products of `SoftAlignment`'s vectors, added up over the directions.

    Differs from the release: both directions have one loss term.
    """

    def __init__(
        self, text_dim: int, dim: int, *, both_ways: bool, learned_missing: bool = True
    ) -> None:
        super().__init__()
        self.alignment = SoftAlignment(text_dim, dim, both_ways=both_ways)
        self.missing = NeutralConstant(learned=learned_missing)

    def context(self, inputs: Stem) -> Tensor:
        return torch.cat(self.alignment(inputs), dim=-1)


class M3el(SumOfUnits):
    """M3EL's matcher with the units that `model.units` names; the score is the mean of its parts.

    Its loss may have a term `contrastive`.

    Raises:
        ValueError: if a unit needs images and `spec.widths` has none.
    Source: M3EL and its release. Unless `m3el.variant` is `released`, padding takes no part, pairs that lack
        an image get a learned constant from the units that need one, repeated entities are no negatives of
        each other in the contrastive loss, and a linear adapter, which starts as the identity, stands behind
        the pooled texts: on frozen features that loss could train nothing of them.
    """

    NAME = "m3el"
    SECTION = M3elParams

    def __init__(self, spec: MatcherSpec) -> None:
        super().__init__(spec)
        assert isinstance(spec.own, M3elParams)
        self.own = spec.own
        self.as_released = spec.own.variant == "released"
        self.text_adapter = nn.Identity() if self.as_released else _adapter(spec.widths.text_pooled)
        self.text_stem, self.image_stem = spec.stems()
        self.units = nn.ModuleDict({name: _build_unit(name, spec) for name in spec.model.units})
        # The mean of text, vision, and one or two directions across.
        self.unit_weight = 1 / (4 if spec.own.directions == "both_ways" else 3)

    def unit_inputs(self, features: SideFeatures) -> Stem:
        features = self._seen(features)
        adapted = replace(features, text_pooled_BP=self.text_adapter(features.text_pooled_BP))
        return Stem.of(adapted, self.text_stem, self.image_stem)

    def loss_terms(self) -> dict[str, LossTerm]:
        return {**super().loss_terms(), "contrastive": self._contrastive}

    def _contrastive(self, batch: LossBatch) -> Tensor:
        """The mean of the texts' and the images' loss; of the images, pairs that have both."""
        golds = batch.golds()
        losses = [
            self._side_loss(
                self.text_adapter(batch.mentions.text_pooled_BP),
                self.text_adapter(golds.text_pooled_BP),
                batch.gold_ids_B,
            )
        ]
        if self.image_stem is not None:
            (ours, has_ours), (theirs, has_theirs) = (
                image_of(self._seen(side)) for side in (batch.mentions, golds)
            )
            rows = torch.where(has_ours & has_theirs)[0]
            if len(rows):
                project = self.image_stem.coarse
                ours, theirs = (project(side.index_select(0, rows)) for side in (ours, theirs))
                losses.append(self._side_loss(ours, theirs, batch.gold_ids_B[rows]))
        return torch.stack(losses).mean()

    def _seen(self, features: SideFeatures) -> SideFeatures:
        return with_every_image(features) if self.as_released else features

    def _side_loss(self, mentions_BP: Tensor, entities_BP: Tensor, ids_B: Tensor) -> Tensor:
        own, each = self.own, torch.arange(len(ids_B), device=ids_B.device)
        return contrastive_loss(
            mentions_BP,
            entities_BP,
            each if self.as_released else ids_B,
            temperature=own.temperature,
            own_side=own.own_side,
            own_self=0.0 if self.as_released else -torch.inf,
        )


def _build_unit(name: str, spec: MatcherSpec) -> Unit:
    assert isinstance(spec.own, M3elParams)
    text_dim, dim, mended = spec.widths.text, spec.model.embed_dim, spec.own.variant == "mended"
    if name == "text":
        return NormedTextUnit(text_dim, dim)
    if name == "vision":
        return NormedImageUnit(dim, dim, learned_missing=mended)
    both_ways = spec.own.directions == "both_ways"
    return AlignmentUnit(text_dim, dim, both_ways=both_ways, learned_missing=mended)


def _adapter(width: int) -> nn.Linear:
    """A linear layer that starts as the identity."""
    adapter = nn.Linear(width, width)
    nn.init.eye_(adapter.weight)
    nn.init.zeros_(adapter.bias)
    return adapter
