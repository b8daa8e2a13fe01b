"""MMoE: the units together, and the scores of all pairs of a batch."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from mmoe.config.model import ModelParams
from mmoe.config.moe import MoeParams
from mmoe.model.experts import ProjectionParams, SparseMixture
from mmoe.model.features import FeatureWidths, ImageStem, SideFeatures, Stem, TextStem
from mmoe.model.sides import (
    EncodedEntities,
    EncodedMentions,
    fine_scores,
    inner_scores,
    scores_with_own_negatives,
)
from mmoe.model.units import CrossUnit, TextUnit, Unit, VisionUnit

OVERALL = "overall"


@dataclass(frozen=True)
class MatcherSpec:
    """All that decides a matcher's shape."""

    widths: FeatureWidths
    model: ModelParams
    moe: MoeParams


class Matcher(nn.Module):
    """Scores mention-entity pairs; the overall score is the sum of the units' scores.

    Mentions and entities are encoded apart, so the entity side of a knowledge base is computed once.

    Raises:
        ValueError: if a unit needs images and `spec.widths` has none.
    Source: MMoE §3.4-3.6. Differs from the release: the sum and not the mean of the units' scores.
    """

    def __init__(self, spec: MatcherSpec) -> None:
        super().__init__()
        self.spec = spec
        widths, dim = spec.widths, spec.model.embed_dim
        need_images = [unit for unit in spec.model.units if unit != "text"]
        if need_images and not widths.image:
            raise ValueError(
                f"model.units = {list(spec.model.units)}: {' and '.join(need_images)} need images, "
                "which the feature store lacks; use model.units=[text] or another encode.model"
            )
        self.text_stem = TextStem(widths, spec.model.dropout)
        self.image_stem = ImageStem(widths, dim, spec.model.dropout) if need_images else None
        self.units = nn.ModuleDict({name: _build_unit(name, spec) for name in spec.model.units})

    @property
    def unit_names(self) -> tuple[str, ...]:
        return tuple(self.units)

    def unit(self, name: str) -> Unit:
        """One unit by its name in model.units."""
        unit = self.units[name]
        assert isinstance(unit, Unit)
        return unit

    def encode_mentions(self, features: SideFeatures) -> dict[str, EncodedMentions]:
        """Each unit's view of the mentions."""
        stem = self._stem(features)
        return {name: self.unit(name).mention_side(stem) for name in self.units}

    def encode_entities(self, features: SideFeatures) -> dict[str, EncodedEntities]:
        """Each unit's view of the entities."""
        stem = self._stem(features)
        return {name: self.unit(name).entity_side(stem) for name in self.units}

    def forward(self, mentions: SideFeatures, entities: SideFeatures) -> dict[str, Tensor]:
        """Scores [B, N] of all pairs: one entry a unit, and `overall`, their sum."""
        return score_pairs(self.encode_mentions(mentions), self.encode_entities(entities))

    def calibrate(self, mentions: SideFeatures, entities: SideFeatures) -> None:
        """Sets the constants that should start from the data, from a sample of unrelated pairs."""
        for name in self.units:
            self.unit(name).calibrate(mentions, entities)

    def take_expert_load(self) -> dict[str, list[float]]:
        """Share of the routed tokens that each expert got since the last call; empty without experts."""
        loads: dict[str, list[float]] = {}
        for name in self.units:
            layers = [
                layer for layer in self.unit(name).modules() if isinstance(layer, SparseMixture)
            ]
            for depth, layer in enumerate(layers):
                total = int(layer.load_K.sum())
                label = name if len(layers) == 1 else f"{name}-{depth + 1}"
                if total:
                    loads[label] = (layer.load_K / total).tolist()
                layer.load_K.zero_()
        return loads

    def _stem(self, features: SideFeatures) -> Stem:
        coarse, fine = self.text_stem(features.text_pooled_BP, features.text.values_TC)
        text_fine = features.text.with_values(fine)
        if self.image_stem is None:
            return Stem(features, coarse, text_fine, None, None)
        assert features.image is not None
        image_coarse, image_fine = self.image_stem(
            features.image_pooled_BP, features.image, features.has_image_B
        )
        return Stem(
            features, coarse, text_fine, image_coarse, features.image.with_values(image_fine)
        )


def score_pairs(
    mentions: dict[str, EncodedMentions], entities: dict[str, EncodedEntities]
) -> dict[str, Tensor]:
    """Scores [B, N] of all pairs from both sides, one entry a unit and `overall`."""
    return with_overall(
        {
            name: inner_scores(mentions[name], entities[name])
            + fine_scores(mentions[name], entities[name])
            for name in mentions
        }
    )


def score_with_negatives(
    mentions: dict[str, EncodedMentions],
    entities: dict[str, EncodedEntities],
    shared_G: Tensor,
    own_Bn: Tensor,
) -> dict[str, Tensor]:
    """Scores [B, G + n]: with G entities that all mentions share, then with each mention's own n.

    Args:
        shared_G, own_Bn: int64, positions in `entities`.
    """
    scores = {}
    for name, side in entities.items():
        shared = side.select(shared_G)
        parts = [inner_scores(mentions[name], shared) + fine_scores(mentions[name], shared)]
        if own_Bn.numel():
            parts.append(scores_with_own_negatives(mentions[name], side.select(own_Bn.flatten())))
        scores[name] = torch.cat(parts, dim=-1)
    return with_overall(scores)


def with_overall(scores: dict[str, Tensor]) -> dict[str, Tensor]:
    """The units' scores and `overall`, their sum (MMoE eq. 8)."""
    return {**scores, OVERALL: torch.stack(list(scores.values())).sum(dim=0)}


def _build_unit(name: str, spec: MatcherSpec) -> Unit:
    model, widths = spec.model, spec.widths
    params = ProjectionParams(model.embed_dim, spec.moe if model.projection == "smoe" else None)
    if name == "text":
        return TextUnit(widths.text, params, residual=model.residual)
    if name == "vision":
        return VisionUnit(model.embed_dim, params, residual=model.residual)
    return CrossUnit(
        widths.text,
        model.embed_dim,
        params,
        gate=model.cross_gate,
        residual=model.residual and widths.joint,
    )
