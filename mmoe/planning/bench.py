"""A matcher on random features that are shaped as a data set's own: seconds and bytes, no results.

Which pairs of a mention and an entity have to be scored in full depends on the values of features, so ranking
can't be timed like this.
"""

from __future__ import annotations

import io
import tempfile
import time
from collections.abc import Sequence
from contextlib import redirect_stderr
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mmoe.config.loss import LossParams
from mmoe.config.train import TrainParams
from mmoe.features.shards import KEEP_PADDING
from mmoe.features.store import FeatureTable
from mmoe.features.tokens import MemoryTokens
from mmoe.linking.data import LinkingData
from mmoe.linking.sides import FeatureSide
from mmoe.linking.whole_kb import build_index
from mmoe.model.features import Strings
from mmoe.model.matcher import Matcher
from mmoe.planning.encoding import Encoding
from mmoe.records import Entity, Mention
from mmoe.training.trainer import EpochRecord, Trainer

TIMED_MENTIONS, MOST_MENTIONS = 128, 512  # a larger group of mentions is not timed
# So that most mentions of a step have negatives of their own.
ENTITIES_A_MENTION = 4
TIMED_ENTITIES = 512
SIZED_ENTITIES = 8
NO_END = 1000  # epochs


@dataclass
class _Clock:
    """Hears of every epoch."""

    times: list[float] = field(default_factory=list)

    def on_epoch(self, record: EpochRecord) -> None:  # noqa: ARG002
        self.times.append(time.perf_counter())


@dataclass(frozen=True)
class Bench:
    """A matcher, and the lengths of the texts and images that it would see."""

    matcher: Matcher
    encoding: Encoding
    device: torch.device

    def index_bytes(self, num_entities: int) -> int:
        """Of the index of so many entities in files; 0 where it is held in another device's memory.

        Every matcher's index has a fixed part for each entity, and one for each token and each patch.
        """
        if self.device.type != "cpu" or not num_entities:
            return 0
        num_tokens, num_patches = map(self.encoding.num_tokens, ("entity_text", "entity_image"))
        if self.matcher.spec.widths.padded:  # then all entities have the same shape
            shape = num_tokens // num_entities, num_patches // num_entities
            return round(num_entities * self._bytes_an_entity(*shape))
        least = self._bytes_an_entity(1, 1)
        a_token = self._bytes_an_entity(2, 1) - least
        a_patch = self._bytes_an_entity(1, 2) - least
        more_patches = max(0, num_patches - num_entities)  # none where the encoder reads texts only
        return round(
            num_entities * least + (num_tokens - num_entities) * a_token + more_patches * a_patch
        )

    def index_seconds(self) -> float:
        """For each entity, writing included; in float32, as stages rerank and evaluate compute."""
        side = self._side("entity", TIMED_ENTITIES)
        with tempfile.TemporaryDirectory() as folder:
            self._build(self._side("entity", SIZED_ENTITIES), Path(folder) / "warm-up")
            start = time.perf_counter()
            self._build(side, Path(folder) / "timed")
            return (time.perf_counter() - start) / len(side)

    def step_seconds(
        self, golds: Sequence[str], num_entities: int, params: TrainParams, loss: LossParams
    ) -> float | None:
        """For a step of training; None where its groups are too large to be timed.

        Args:
            golds: gold qids of the training mentions: the more of them are equal, the less is to be computed.
            num_entities: of the knowledge base.
        """
        whole = min(params.batch_size, len(golds))
        size = min(whole, max(params.group_size, TIMED_MENTIONS))
        if size > MOST_MENTIONS:
            return None
        data = self._data(golds, size, num_entities)
        changes = {"batch_size": size, "max_epochs": 2, "min_steps": 0, "patience": NO_END}
        params = params.model_copy(update={**changes, "held_out": 0.0, "fraction": 1.0})
        clock = _Clock()
        with tempfile.TemporaryDirectory() as work, redirect_stderr(io.StringIO()):
            trainer = Trainer(
                *(self.matcher, data, params, loss, lambda *_: 0.0, Path(work), [clock])
            )
            trainer.run()
        _, warm_up, end = clock.times  # an epoch is a step
        return (end - warm_up) * whole / size  # a step's work grows with its groups

    def _data(self, golds: Sequence[str], num_mentions: int, num_entities: int) -> LinkingData:
        """Some of the mentions, their gold entities, and others beside."""
        drawn = np.random.default_rng(0).choice(list(golds), num_mentions, replace=False)
        _, gold = np.unique(drawn, return_inverse=True)
        num_entities = min(num_entities, ENTITIES_A_MENTION * num_mentions)
        entities = [Entity(f"Q{i}", "", "", ()) for i in range(num_entities)]
        mentions = [
            Mention(f"m{i}", f"s{i}", "", "", None, f"Q{entity}", True, "train")
            for i, entity in enumerate(gold.tolist())
        ]
        sides = self._side("mention", num_mentions), self._side("entity", num_entities)
        return LinkingData(mentions, entities, *sides, gold.astype(np.int64))

    def _bytes_an_entity(self, tokens: int, patches: int) -> float:
        same = np.ones(SIZED_ENTITIES, dtype=np.int64)
        side = self._side_of(same * tokens, same * patches)
        with tempfile.TemporaryDirectory() as folder:
            self._build(side, Path(folder) / "index")
            files = (Path(folder) / "index").glob("*.bin")
            return sum(file.stat().st_size for file in files) / SIZED_ENTITIES

    def _build(self, side: FeatureSide, folder: Path) -> None:
        build_index(self.matcher.eval(), side, self.device, folder=folder)

    def _side(self, name: str, num_rows: int) -> FeatureSide:
        """Random features with lengths drawn from the data set's."""
        rng = np.random.default_rng(0)

        def drawn(part: str) -> NDArray[np.int64]:
            lengths = self.encoding.lengths[part].clip(min=1)
            nothing = np.ones(num_rows, dtype=np.int64)
            return rng.choice(lengths, num_rows) if len(lengths) else nothing

        return self._side_of(drawn(f"{name}_text"), drawn(f"{name}_image"))

    def _side_of(self, tokens: NDArray[np.int64], patches: NDArray[np.int64]) -> FeatureSide:
        widths, rows = self.matcher.spec.widths, torch.arange(len(tokens))
        texts = self._table(tokens, widths.text, widths.text_pooled)
        images = self._table(patches, widths.image, widths.image_pooled) if widths.image else None
        nothing = ("",) * len(tokens)
        return FeatureSide(texts, images, rows, rows, Strings(nothing, nothing))

    def _table(self, lengths: NDArray[np.int64], width: int, pooled_width: int) -> FeatureTable:
        widths, generator = self.matcher.spec.widths, torch.Generator().manual_seed(0)

        def given(num: int, width: int) -> Tensor:
            return torch.randn(num, width, generator=generator).half()

        ids = tuple(f"{i:05}" for i in range(len(lengths)))
        pooled = given(len(ids), pooled_width)
        metadata = {"joint": widths.joint, KEEP_PADDING: widths.padded}
        tokens = MemoryTokens(given(int(lengths.sum()), width), lengths)
        present = np.ones(len(ids), dtype=np.bool_)
        return FeatureTable(ids, tokens, pooled, pooled, present, metadata, "")
