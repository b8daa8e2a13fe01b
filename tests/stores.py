"""Small feature stores with a task that can be learned: a mention's features are its entity's, blurred."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mmoe.features.shards import (
    ABSENT,
    OK,
    FeatureRow,
    PartColumns,
    shard_name,
    shard_table,
    write_shard,
)
from mmoe.features.tokens import MemoryTokens, Tokens
from mmoe.linking.data import LinkingData
from mmoe.model.matcher import Matcher
from mmoe.records import Entity, Mention
from mmoe.training.held_out import held_out_mrr

CPU = torch.device("cpu")
FEATURE_CONFIG = {"encoder": "toy", "max_text_length": 8}
TEXT_COLUMNS = PartColumns("text", 10, 6)
IMAGE_COLUMNS = PartColumns("image", 7, 6)
NO_IMAGE_COLUMNS = PartColumns("image", 0, 0)
SHARD_ROWS = 9  # a few shards a part
SPLITS = ("train", "train", "train", "train", "valid", "test")


@dataclass(frozen=True)
class Toy:
    """What a small store holds.

    Attributes:
        nils: how many mentions, of the last, have no gold entity in the knowledge base.
        twins: how many entities, of the last, repeat the features of the first.
        blur: how far a mention's features are from its entity's.
    """

    mentions: int = 36
    entities: int = 14
    images: bool = True
    nils: int = 2
    twins: int = 0
    blur: float = 0.5
    seed: int = 0


def records_of(toy: Toy) -> tuple[list[Mention], list[Entity]]:
    """Mentions m0, m1, … and entities Q0, Q1, …; mention i means entity i modulo their number."""
    entities = [Entity(f"Q{i}", f"name {i}", "", ()) for i in range(toy.entities)]
    mentions = []
    for i in range(toy.mentions):
        is_nil = i >= toy.mentions - toy.nils
        gold = None if is_nil else f"Q{i % toy.entities}"
        split = SPLITS[i % len(SPLITS)]
        mentions.append(
            Mention(f"m{i}", f"s{i}", "surface_form", "context", None, gold, not is_nil, split)
        )
    return mentions, entities


def rows_of(toy: Toy) -> dict[str, list[FeatureRow]]:
    """The features of all four parts, in the order of the records."""
    rng = np.random.default_rng(toy.seed)
    latent = rng.normal(size=(toy.entities, 6))
    if toy.twins:
        latent[-toy.twins :] = latent[: toy.twins]
    entity_rows = [_rows(rng, f"Q{i}", latent[i], toy) for i in range(toy.entities)]
    for i in range(toy.twins):
        entity_rows[toy.entities - toy.twins + i] = tuple(
            FeatureRow(f"Q{toy.entities - toy.twins + i}", *list(vars(row).values())[1:])
            for row in entity_rows[i]
        )
    mention_rows = [
        _rows(rng, f"m{i}", latent[i % toy.entities] + toy.blur * rng.normal(size=6), toy)
        for i in range(toy.mentions)
    ]
    return {
        f"{side}_{part}": [pair[number] for pair in rows]
        for side, rows in (("mention", mention_rows), ("entity", entity_rows))
        for number, part in enumerate(("text", "image"))
    }


def _rows(
    rng: np.random.Generator, id_: str, latent: NDArray[np.float64], toy: Toy
) -> tuple[FeatureRow, ...]:
    """A text of 1 to 5 tokens and an image of 4 patches, or in a third of the rows none."""
    tokens = np.tile(latent, (int(rng.integers(1, 6)), 2))[:, : TEXT_COLUMNS.token_width]
    tokens = tokens + 0.3 * rng.normal(size=tokens.shape)
    text = FeatureRow(id_, OK, _half(tokens), _half(latent), _half(np.roll(latent, 1)))
    patches = 0.3 * rng.normal(size=(4, IMAGE_COLUMNS.token_width)) + latent[0]
    if rng.random() < 1 / 3:
        return text, FeatureRow(id_, ABSENT, None, None)
    return text, FeatureRow(id_, OK, _half(patches), _half(latent[::-1]))


def _half(values: NDArray[np.float64]) -> NDArray[np.float16]:
    return values.astype(np.float16)


def write_store(folder: Path, toy: Toy, **metadata: Any) -> Path:
    """Writes all four parts, last row first, so that the store's order is not the records'."""
    for part, rows in rows_of(toy).items():
        columns = TEXT_COLUMNS if part.endswith("text") else IMAGE_COLUMNS
        if part.endswith("image") and not toy.images:
            rows, columns = [], NO_IMAGE_COLUMNS
        write_part(folder / part, rows[::-1], columns, **metadata)
    return folder


def write_part(
    folder: Path, rows: Sequence[FeatureRow], columns: PartColumns, **metadata: Any
) -> None:
    """Writes one part in shards."""
    stored = {**FEATURE_CONFIG, "fingerprint": "toy", "joint": True, **metadata}
    for number, start in enumerate(range(0, max(1, len(rows)), SHARD_ROWS)):
        chunk = rows[start : start + SHARD_ROWS]
        write_shard(folder / shard_name(number), shard_table(chunk, columns, stored))


def open_toy(folder: Path, toy: Toy) -> LinkingData:
    """A small store, written and opened."""
    mentions, entities = records_of(toy)
    return LinkingData.open(mentions, entities, write_store(folder, toy), FEATURE_CONFIG)


def in_memory(tokens: Tokens) -> MemoryTokens:
    """The same rows, held in memory."""
    return MemoryTokens(tokens.gather(np.arange(len(tokens.lengths_N))), tokens.lengths_N)


def mrr_on(data: LinkingData) -> Callable[[Matcher, Tensor], float]:
    """What the trainer calls after each epoch."""
    return partial(held_out_mrr, data=data, seed=43)
