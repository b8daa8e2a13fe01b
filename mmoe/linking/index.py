"""The entity side of a knowledge base, computed once for all mentions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from mmoe.model.features import SideFeatures
from mmoe.model.matcher import Matcher
from mmoe.model.sides import (
    EncodedEntities,
    EncodedMentions,
    fine_bounds,
    fine_scores,
    inner_scores,
)


@dataclass(frozen=True)
class EntityIndex:
    """Every entity of the knowledge base as the matcher's units see it.

    Attributes:
        inner_NI: all units' inner vectors side by side, so that one matrix product gives the sum of
            their inner scores.
        units: each unit's own side.
    """

    inner_NI: Tensor
    units: dict[str, EncodedEntities]

    def __len__(self) -> int:
        return len(self.inner_NI)

    @classmethod
    @torch.inference_mode()
    def build(cls, matcher: Matcher, batches: Iterable[SideFeatures]) -> EntityIndex:
        """Encodes all entities, a batch at a time."""
        parts: dict[str, list[EncodedEntities]] = {name: [] for name in matcher.unit_names}
        for batch in batches:
            for name, side in matcher.encode_entities(batch).items():
                parts[name].append(side)
        units = {name: EncodedEntities.concatenate(sides) for name, sides in parts.items()}
        return cls(torch.cat([side.inner_NI for side in units.values()], dim=-1), units)

    def inner_scores(self, mentions: dict[str, EncodedMentions]) -> Tensor:
        """[B, N]: the sum of all units' inner scores."""
        joined = torch.cat([mentions[name].inner_BI for name in self.units], dim=-1)
        return joined @ self.inner_NI.T

    def bounds(self, mentions: dict[str, EncodedMentions]) -> tuple[Tensor, Tensor]:
        """Lower and upper bounds [B, N] of the overall score."""
        low = self.inner_scores(mentions)
        high = low.clone()
        for name, side in self.units.items():
            if side.entity_vector_ND is not None:
                least, most = fine_bounds(mentions[name], side)
                low += least
                high += most
        return low, high

    def unit_scores(
        self, mentions: dict[str, EncodedMentions], entities: Tensor
    ) -> dict[str, Tensor]:
        """Each unit's exact scores [B, n] against the entities at `entities`."""
        scores = {}
        for name, side in self.units.items():
            chosen = side.select(entities)
            scores[name] = inner_scores(mentions[name], chosen) + fine_scores(
                mentions[name], chosen
            )
        return scores

    def scores(self, mentions: dict[str, EncodedMentions], entities: Tensor) -> Tensor:
        """Exact overall scores [B, n] against the entities at `entities`."""
        return torch.stack(list(self.unit_scores(mentions, entities).values())).sum(dim=0)
