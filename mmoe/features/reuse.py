"""Rows that the last run of a part has encoded already: another ranker, or a few new mentions, cost only what
is new.

DVC deletes a stage's outputs before it runs the stage, so the finished shards are linked into a folder of
their own, one generation for each part. A row is taken from there if its content and all settings, the
code included, are the same. That gives the same bits as encoding it again, because a text's features hang
on nothing but the text (see `encode_in_length_order`).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from mmoe.errors import DataError, FeatureStoreError
from mmoe.features.runner import SOURCES
from mmoe.features.shards import OK, FeatureRow, open_shard
from mmoe.files import content_key, read_json, write_json

KEYS = (
    "keys.json"  # shard -> the keys of its rows; written last, so it stands for a whole generation
)

Row = TypeVar("Row")
Encode = Callable[[Sequence[Row]], list[FeatureRow]]


@dataclass
class FeatureRowCache(Generic[Row]):
    """The last generation of one part, and what becomes the next.

    Attributes:
        folder: of the part; a subfolder for the settings holds the shards.
        settings: all that decides a row's features beside the row itself.
        key_of: names a row's content; rows of equal keys have equal features.
        name_of: a row's id.
        num_reused: rows that were taken from the last generation.
    """

    folder: Path
    settings: Mapping[str, Any]
    key_of: Callable[[Row], str]
    name_of: Callable[[Row], str]
    num_reused: int = 0
    _places: dict[str, tuple[str, int]] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        file = self._generation / KEYS
        try:
            shards = read_json(file) if file.is_file() else {}
        except DataError:  # a damaged list only costs time
            shards = {}
        self._places = {
            key: (name, i) for name, keys in shards.items() for i, key in enumerate(keys)
        }

    @property
    def _generation(self) -> Path:
        return self.folder / content_key(dict(self.settings), SOURCES)

    def first(self, encode: Encode[Row]) -> Encode[Row]:
        """The same as `encode`, of which only the rows that are not kept are asked."""

        def kept_or_encoded(chunk: Sequence[Row]) -> list[FeatureRow]:
            keys = [self.key_of(row) for row in chunk]
            kept = self._kept(set(keys))
            new = [row for row, key in zip(chunk, keys, strict=True) if key not in kept]
            self.num_reused += len(chunk) - len(new)
            fresh = iter(encode(new) if new else [])
            return [
                replace(kept[key], id=self.name_of(row)) if key in kept else next(fresh)
                for row, key in zip(chunk, keys, strict=True)
            ]

        return kept_or_encoded

    def keep(self, out: Path, rows: Sequence[Row], shard_rows: int) -> None:
        """Makes the finished shards of `out` the last generation.

        Args:
            rows: of all shards, in order.
        """
        shutil.rmtree(self.folder, ignore_errors=True)
        self._generation.mkdir(parents=True)
        keys = [self.key_of(row) for row in rows]
        shards = sorted(out.glob("shard-*.parquet"))
        for shard in shards:
            _link(shard, self._generation / shard.name)
        write_json(
            self._generation / KEYS,
            {s.name: keys[i * shard_rows : (i + 1) * shard_rows] for i, s in enumerate(shards)},
        )

    def _kept(self, keys: set[str]) -> dict[str, FeatureRow]:
        wanted: dict[str, dict[int, str]] = {}
        for key in keys & self._places.keys():
            name, row = self._places[key]
            wanted.setdefault(name, {})[row] = key
        found: dict[str, FeatureRow] = {}
        for name, rows in wanted.items():
            found |= _read(self._generation / name, rows)
        return found


def _read(shard: Path, rows: Mapping[int, str]) -> dict[str, FeatureRow]:
    """Some rows of a shard by their keys; a broken shard, and rows without features, only cost time."""
    try:
        file = open_shard(shard)
        table = file.read().take(sorted(rows))
    except (FeatureStoreError, OSError, ValueError):
        return {}
    found = {}
    for row, values in zip(sorted(rows), table.to_pylist(), strict=True):
        if values["status"] == OK:
            found[rows[row]] = FeatureRow(
                values["id"],
                OK,
                _array(values["states"], values["num_states"]),
                _array(values["pooled"]),
                _array(values.get("name_pooled")),
            )
    return found


def _array(data: bytes | None, rows: int | None = None) -> NDArray[np.float16] | None:
    if data is None:
        return None
    flat = np.frombuffer(data, dtype="<f2")
    return flat if rows is None else flat.reshape(rows, -1)


def _link(source: Path, target: Path) -> None:
    """A second name of a finished file, which costs no space; a copy where the disk has no such names."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
