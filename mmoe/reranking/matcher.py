"""What a trained matcher says of a pair: the score of each of its units."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mmoe.linking.index import EntityIndex
from mmoe.linking.sides import MENTION_BATCH, FeatureSide
from mmoe.model.encoded import EncodedMentions, concatenate, select
from mmoe.reranking.pairs import Pairs


class MatcherFeatures:
    """Each unit's exact scores, on the shortlists of some mentions.

    Args:
        index: the knowledge base as the matcher sees it.
        mentions: those that the pairs' rows mean, in order.
    """

    def __init__(self, index: EntityIndex, mentions: EncodedMentions) -> None:
        self._index, self._mentions = index, mentions

    @classmethod
    @torch.inference_mode()
    def stored(cls, index: EntityIndex, mentions: FeatureSide, records: Tensor) -> MatcherFeatures:
        """Of mentions with stored features.

        Args:
            records: int64, which of them.
        """
        size = index.matcher.encoding_batch or MENTION_BATCH
        batches = mentions.batches(records, size, index.device)
        return cls(index, concatenate([index.matcher.encode_mentions(batch) for batch in batches]))

    @property
    def names(self) -> tuple[str, ...]:
        """Of the features, in order."""
        return tuple(f"matcher, {name}" for name in self._index.matcher.unit_names)

    @torch.inference_mode()
    def of(self, pairs: Pairs) -> NDArray[np.float32]:
        """All features [B, D, F] of pairs."""
        device = self._index.device
        return np.stack(
            [
                self._one(int(row), torch.from_numpy(own).to(device))
                for row, own in zip(pairs.rows, pairs.entities_BD, strict=True)
            ]
        )

    def _one(self, row: int, entities: Tensor) -> NDArray[np.float32]:
        mention = select(self._mentions, torch.tensor([row], device=entities.device))
        scores = self._index.scores(mention, entities)
        units = [scores[name][0].float().cpu().numpy() for name in self._index.matcher.unit_names]
        return np.stack(units, axis=-1)
