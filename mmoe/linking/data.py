"""The mentions and the knowledge base of a data set, with features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from typing_extensions import TypeVar

from mmoe.errors import FeatureStoreError
from mmoe.linking.sides import FeatureSide, Side
from mmoe.model.features import FeatureWidths
from mmoe.records import Entity, Mention

SideType = TypeVar("SideType", bound=Side, default=FeatureSide, covariant=True)


@dataclass(frozen=True)
class LinkingData(Generic[SideType]):
    """The mentions and the knowledge base of one data set, with features.

    Attributes:
        gold: int64 [M]: position of each mention's gold entity; -1 if it has none in the KB.
    """

    mentions: list[Mention]
    entities: list[Entity]
    mention_side: SideType
    entity_side: SideType
    gold: NDArray[np.int64]

    @classmethod
    def open(
        cls,
        mentions: list[Mention],
        entities: list[Entity],
        features: Path,
        wanted: dict[str, Any],
    ) -> LinkingData[FeatureSide]:
        """Reads the features of both sides.

        Args:
            wanted: what params.yaml says made the features.
        Raises:
            FeatureStoreError: see `FeatureSide.open`; also if the sides come from different encoders.
        """
        mention_side = FeatureSide.of_mentions(features, mentions, wanted)
        entity_side = FeatureSide.of_entities(features, entities, wanted)
        prints = [side.texts.metadata["fingerprint"] for side in (mention_side, entity_side)]
        if prints[0] != prints[1]:
            raise FeatureStoreError(
                f"{features}: mentions and entities were encoded with different weights; run dvc repro"
            )
        gold = gold_positions(mentions, entities)
        return LinkingData(mentions, entities, mention_side, entity_side, gold)

    @property
    def widths(self) -> FeatureWidths:
        """Widths of the cached features."""
        return self.entity_side.widths

    @property
    def feature_config(self: LinkingData[FeatureSide]) -> dict[str, Any]:
        """What made the features: the encoder, the text layout, the precision."""
        return self.mention_side.feature_config

    @property
    def parts(self: LinkingData[FeatureSide]) -> list[tuple[dict[str, Any], str]]:
        """`FeatureSide.parts` of both sides."""
        return self.mention_side.parts + self.entity_side.parts

    def gold_of(self, mentions: Tensor) -> Tensor:
        """int64: positions of the gold entities of the mentions at `mentions`."""
        return torch.from_numpy(self.gold)[mentions]

    def linkable(self, split: str) -> Tensor:
        """Positions of the split's mentions whose gold entity is in the knowledge base."""
        return torch.tensor(
            [
                i
                for i, mention in enumerate(self.mentions)
                if mention.split == split and self.gold[i] >= 0
            ],
            dtype=torch.int64,
        )


def gold_positions(mentions: Sequence[Mention], entities: Sequence[Entity]) -> NDArray[np.int64]:
    """int64 [M]: the position of each mention's gold entity; -1 if the knowledge base lacks it."""
    position = {entity.qid: i for i, entity in enumerate(entities)}
    found = [
        position[mention.gold_qid] if mention.in_kb and mention.gold_qid is not None else -1
        for mention in mentions
    ]
    return np.array(found, dtype=np.int64)
