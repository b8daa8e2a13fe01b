"""The features of mentions or of entities, stored or encoded in memory, gathered into batches."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mmoe.features.shards import OK, FeatureRow
from mmoe.features.store import FeatureTable, check_feature_config, read_features
from mmoe.features.tokens import through_int8
from mmoe.model.features import FeatureWidths, SideFeatures, Strings
from mmoe.model.packed import Packed
from mmoe.records import Entity, Mention

# What another machine must know to make features for a matcher that was trained on these.
FEATURE_CONFIG = (
    "encoder",
    "tuned",
    "fingerprint",
    "joint",
    "max_text_length",
    "description_budget",
    "precision",
    "keep_padding",
    "dtype",
)
KEEP_BASE, BASE = "keep_base", "base"  # in what params.yaml says; the folder of such features
ENTITY_BATCH = 128  # entities encoded at a time
MENTION_BATCH = 64  # mentions ranked at a time: bounds take 64 · N floats


class Side(ABC):
    """The features of the mentions, or of the entities, in the order of the records."""

    @abstractmethod
    def __len__(self) -> int:
        """How many records there are."""

    @property
    @abstractmethod
    def widths(self) -> FeatureWidths:
        """Widths of the features."""

    @abstractmethod
    def select(self, records: Tensor) -> Self:
        """Some records alone, int64 positions in any order; no feature is read or copied."""

    @abstractmethod
    def ids_of(self, records: Tensor) -> list[str]:
        """The records' ids."""

    @abstractmethod
    def names_and_texts(self, records: Tensor) -> tuple[Tensor, Tensor]:
        """Pooled embeddings [B, P], of the names alone and of the whole texts."""

    @abstractmethod
    def read(self, records: Tensor) -> SideFeatures:
        """As `gather`; of stored features in float16 and host memory, so that what is left needs no disk."""

    @property
    def everything(self) -> Tensor:
        """The positions of all records, in order."""
        return torch.arange(len(self))

    def gather(self, records: Tensor, device: torch.device) -> SideFeatures:
        """The features of some records as float32.

        Args:
            records: int64 positions in the records' order.
        """
        return self.read(records).computable(device)

    def batches(self, records: Tensor, size: int, device: torch.device) -> Iterator[SideFeatures]:
        """The features of `records`, `size` at a time, in order."""
        for chunk in torch.split(records, size):
            yield self.gather(chunk, device)


@dataclass(frozen=True)
class FeatureSide(Side):
    """All cached features of the mentions, or of the entities, in the order of the records.

    Attributes:
        text_rows, image_rows: where each record stands in the tables.
        images: None where the encoder is text-only.
        strings: the records' own, for matchers that read them.
        base: features of the untuned encoder, where `encode.keep_base` keeps them beside a tuned one's.
    """

    texts: FeatureTable
    images: FeatureTable | None
    text_rows: Tensor
    image_rows: Tensor
    strings: Strings
    base: FeatureSide | None = None

    @classmethod
    def open(
        cls,
        folder: Path,
        side: str,
        ids: list[str],
        strings: Strings,
        wanted: dict[str, Any],
    ) -> FeatureSide:
        """Reads `<side>_text` and `<side>_image` under `folder` for the records with these ids.

        Args:
            side: mention or entity.
            strings: of the records, in the order of `ids`.
            wanted: what params.yaml says made the features.
        Raises:
            FeatureStoreError: if features are missing, broken or made with other settings.
        """
        wanted = dict(wanted)
        base = None
        if wanted.pop(KEEP_BASE, False) and (folder / BASE / f"{side}_text").is_dir():
            tuned = ("tuned", "fingerprint")  # which the others' encoder has alone
            of_base = {key: value for key, value in wanted.items() if key not in tuned}
            base = cls.open(folder / BASE, side, ids, strings, of_base)
        texts = read_features(folder / f"{side}_text")
        images = read_features(folder / f"{side}_image")
        for part, table in ((f"{side}_text", texts), (f"{side}_image", images)):
            check_feature_config(table, folder / part, wanted)
        has_images = images.token_width > 0
        rows = images.rows_of(ids) if has_images else np.zeros(0, dtype=np.int64)
        return cls(
            texts,
            images if has_images else None,
            torch.from_numpy(texts.rows_of(ids)),
            torch.from_numpy(rows),
            strings,
            base,
        )

    @classmethod
    def of_entities(
        cls, folder: Path, entities: Sequence[Entity], wanted: dict[str, Any]
    ) -> FeatureSide:
        """The features of a knowledge base; see `open`."""
        strings = Strings(tuple(e.name for e in entities), tuple(e.attributes for e in entities))
        return cls.open(folder, "entity", [entity.qid for entity in entities], strings, wanted)

    @classmethod
    def of_mentions(
        cls, folder: Path, mentions: Sequence[Mention], wanted: dict[str, Any]
    ) -> FeatureSide:
        """The features of mentions; see `open`."""
        strings = Strings(
            tuple(m.surface_form for m in mentions), tuple(m.context for m in mentions)
        )
        return cls.open(folder, "mention", [m.mention_id for m in mentions], strings, wanted)

    def __len__(self) -> int:
        return len(self.text_rows)

    @property
    def widths(self) -> FeatureWidths:
        texts, images = self.texts, self.images
        return FeatureWidths(
            texts.token_width,
            texts.pooled_width,
            images.token_width if images is not None else 0,
            images.pooled_width if images is not None else 0,
            bool(self.texts.metadata["joint"]),
            texts.padded,
        )

    def select(self, records: Tensor) -> Self:
        texts, strings = self.text_rows[records], self.strings.select(records)
        images = self.image_rows[records] if self.images is not None else self.image_rows
        base = None if self.base is None else self.base.select(records)
        return replace(self, text_rows=texts, image_rows=images, strings=strings, base=base)

    @property
    def parts(self) -> list[tuple[dict[str, Any], str]]:
        """What made the features of each part, and a key of what they were made of."""
        tables = (self.texts, self.images)
        own = [(table.metadata, table.content_key) for table in tables if table is not None]
        return own if self.base is None else own + self.base.parts

    @property
    def feature_config(self) -> dict[str, Any]:
        """What made the features: the encoder, the text layout, the precision."""
        stored = self.texts.metadata
        base = {} if self.base is None else {KEEP_BASE: True}
        return {name: stored[name] for name in FEATURE_CONFIG if name in stored} | base

    def ids_of(self, records: Tensor) -> list[str]:
        return [self.texts.ids[row] for row in self.text_rows[records].tolist()]

    def names_and_texts(self, records: Tensor) -> tuple[Tensor, Tensor]:
        rows = self.text_rows[records]
        assert self.texts.name_pooled_NP is not None
        return self.texts.name_pooled_NP[rows], self.texts.pooled_NP[rows]

    def read(self, records: Tensor) -> SideFeatures:
        rows = self.text_rows[records]
        assert self.texts.name_pooled_NP is not None
        text, pooled = _gather_tokens(self.texts, rows), self.texts.pooled_NP[rows]
        name, strings = self.texts.name_pooled_NP[rows], self.strings.select(records)
        base = None if self.base is None else self.base.read(records)
        if self.images is None:
            return SideFeatures(text, pooled, name, strings=strings, base=base)
        rows = self.image_rows[records]
        present = torch.from_numpy(self.images.present)[rows]
        images = _gather_tokens(self.images, rows), self.images.pooled_NP[rows], present
        return SideFeatures(text, pooled, name, *images, strings, base)


def features_of_rows(
    texts: Sequence[FeatureRow],
    images: Sequence[FeatureRow],
    widths: FeatureWidths,
    strings: Strings,
    device: torch.device,
) -> SideFeatures:
    """Features that were encoded in memory, as `FeatureSide.gather` gives stored ones.

    Args:
        texts: one row a record.
        images: as many rows, absent ones among them; none where the encoder is text-only.
    """
    text = _packed(texts, widths.text)
    pooled = pooled_of([row.pooled for row in texts], widths.text_pooled)
    name = pooled_of([row.name_pooled for row in texts], widths.text_pooled)
    features = SideFeatures(text, pooled, name, strings=strings)
    if images:
        features = replace(
            features,
            image=_packed(images, widths.image),
            image_pooled_BP=pooled_of([row.pooled for row in images], widths.image_pooled),
            has_image_B=torch.tensor([row.status == OK for row in images]),
        )
    return features.computable(device)


def as_stored(rows: Sequence[FeatureRow], dtype: str) -> Sequence[FeatureRow]:
    """Rows as they come back from a store of this dtype, float16 or int8."""
    if dtype != "int8":
        return rows
    return [
        row if row.tokens is None else replace(row, tokens=through_int8(row.tokens)) for row in rows
    ]


def _packed(rows: Sequence[FeatureRow], width: int) -> Packed:
    nothing = np.zeros((1, width), dtype=np.float16)  # a placeholder, which the model replaces
    tokens = [nothing if row.tokens is None else row.tokens for row in rows]
    lengths = torch.tensor([len(each) for each in tokens])
    return Packed(torch.from_numpy(np.concatenate(tokens)), lengths)


def pooled_of(vectors: Sequence[NDArray[np.float16] | None], width: int) -> Tensor:
    """Pooled embeddings [B, P] that were encoded in memory; zeros where there is none."""
    nothing = np.zeros(width, dtype=np.float16)
    return torch.from_numpy(np.stack([nothing if vector is None else vector for vector in vectors]))


def _gather_tokens(table: FeatureTable, rows: Tensor) -> Packed:
    """The rows' tokens; a row without any gets one placeholder of zeros, which the model replaces."""
    tokens = table.tokens.gather(rows.numpy())
    lengths = torch.from_numpy(table.tokens.lengths_N[rows.numpy()])
    if bool((lengths == 0).any()):
        kept = lengths.clamp(min=1)
        filled = tokens.new_zeros(int(kept.sum()), tokens.shape[1])
        filled[torch.repeat_interleave(lengths > 0, kept)] = tokens
        tokens, lengths = filled, kept
    return Packed(tokens, lengths)
