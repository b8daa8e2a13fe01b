"""The encoder and the index of a Linker, opened from the files of a run."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mmoe.encoders.base import Encoder
from mmoe.encoders.registry import load_encoder
from mmoe.errors import CheckpointError, LinkingError
from mmoe.linking.approximate import ApproximateSearch, is_search_of
from mmoe.linking.checkpoint import Checkpoint
from mmoe.linking.data import MENTION_BATCH, FeatureSide
from mmoe.linking.index import EntityIndex
from mmoe.linking.whole_kb import build_index, index_key
from mmoe.locks import exclusive_lock
from mmoe.model.matcher import Matcher
from mmoe.records import Entity, Mention, read_records

LEARNED_FROM = 4096  # mentions


@dataclass(frozen=True)
class IndexSources:
    """What an index of a knowledge base is made of.

    Attributes:
        weights: file of the trained matcher.
        kb: folder with the records; `features`, with their features; `config`, what made those.
    """

    weights: Path
    kb: Path
    features: Path
    config: dict[str, Any]

    def opened(
        self,
        matcher: Matcher,
        entities: Sequence[Entity],
        device: torch.device,
        folder: Path | None,
        *,
        approximate: bool,
    ) -> tuple[EntityIndex, ApproximateSearch | None]:
        """The index and, if it is to be approximate, its search; built where none lies in the folder.

        Args:
            matcher: on the device.
            folder: None holds the index in memory.
        """
        side = FeatureSide.of_entities(self.features, entities, self.config)
        if folder is None:
            return build_index(matcher, side, device), None
        made_of = index_key(self.weights, self.kb / "entities.parquet", side)
        busy = partial(print, f"{folder}: another process builds it; waiting", file=sys.stderr)
        with exclusive_lock(folder, when_busy=busy):
            index = build_index(matcher, side, device, folder=folder / "entities", made_of=made_of)
            search = self._search(folder / "search", made_of, index) if approximate else None
        return index, search

    def _search(self, folder: Path, made_of: str, index: EntityIndex) -> ApproximateSearch:
        if is_search_of(folder, made_of):
            return ApproximateSearch.open(folder, made_of, index)
        train = [
            m for m in read_records(self.kb / "mentions.parquet", Mention) if m.split == "train"
        ]
        some = [train[i] for i in np.random.default_rng(0).permutation(len(train))[:LEARNED_FROM]]
        if not some:
            raise LinkingError(
                f"{self.kb}/mentions.parquet: approximate=True learns from training mentions, and there "
                "is none"
            )
        side = FeatureSide.of_mentions(self.features, some, self.config)
        batches = side.batches(side.everything, MENTION_BATCH, index.device)
        return ApproximateSearch.build_in(folder, made_of, index, batches)


def load_encoder_of(
    checkpoint: Checkpoint, named: str, encoder: str | None, device: str
) -> Encoder:
    """The encoder on whose features a matcher was trained.

    Args:
        named: the matcher, for messages.
        encoder: where it lies; None for where it lay in training.
    Raises:
        CheckpointError: if what lies there is another one.
    """
    config = checkpoint.feature_config
    loaded = load_encoder(encoder or config["encoder"], device, config["precision"])
    if loaded.fingerprint != config["fingerprint"]:
        raise CheckpointError(
            f"{named}: trained on features of another encoder than {loaded.name} (fingerprint "
            f"{config['fingerprint']}, found {loaded.fingerprint}); name the right one with encoder=…"
        )
    return loaded
