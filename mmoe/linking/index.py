"""The entity side of a knowledge base, computed once for all mentions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from mmoe.linking.device import computing_in
from mmoe.model.encoded import EncodedEntities, EncodedMentions, concatenate, num_rows, select
from mmoe.model.features import SideFeatures
from mmoe.model.matcher import Matcher


@dataclass(frozen=True)
class EntityIndex:
    """Every entity of a knowledge base as one matcher sees it.

    Attributes:
        entities: of the whole knowledge base, in its order.
    """

    matcher: Matcher
    entities: EncodedEntities

    def __len__(self) -> int:
        return num_rows(self.entities)

    @classmethod
    @torch.inference_mode()
    def build(
        cls, matcher: Matcher, batches: Iterable[SideFeatures], precision: str = "float32"
    ) -> EntityIndex:
        """Encodes all entities, a batch at a time.

        Args:
            precision: float32 or bfloat16, of the products; what they give is float32 in any case.
        """
        return cls(matcher, concatenate([_encode(matcher, batch, precision) for batch in batches]))

    @property
    def device(self) -> torch.device:
        """Where it lies."""
        return next(iter(self.entities.values())).inner_BI.device

    def bounds(self, mentions: EncodedMentions) -> tuple[Tensor, Tensor]:
        """Lower and upper bounds [B, N] of the overall score."""
        return self.matcher.bounds(mentions, self.entities)

    def scores(self, mentions: EncodedMentions, rows: Tensor) -> dict[str, Tensor]:
        """Each unit's exact scores and `overall`, [B, n], against the entities at `rows`."""
        return self.matcher.scores(mentions, select(self.entities, rows))


def _encode(matcher: Matcher, batch: SideFeatures, precision: str) -> EncodedEntities:
    with computing_in(precision, batch.text_pooled_BP.device):
        encoded = matcher.encode_entities(batch)
    return {name: unit.in_full_precision() for name, unit in encoded.items()}
