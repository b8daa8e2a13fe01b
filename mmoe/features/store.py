"""Opens the shards of a part, as training and evaluation use them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from numpy.typing import NDArray
from torch import Tensor

from mmoe.errors import FeatureStoreError, one_line
from mmoe.features.shards import (
    CHECKSUM,
    DTYPE,
    KEEP_PADDING,
    OK,
    ROW_GROUP_ROWS,
    PartColumns,
    open_shard,
    shard_metadata,
)
from mmoe.features.tokens import ShardTokens, Tokens
from mmoe.files import content_key

DEFAULTS = {KEEP_PADDING: False, DTYPE: "float16"}


@dataclass(frozen=True)
class FeatureTable:
    """The features of one part. Token features stay on disk until they are asked for; all else is in memory.

    Attributes:
        ids: N mention_ids or qids.
        tokens: float16 token or patch features of all rows.
        pooled_NP: float16; rows that are not present hold zeros and must be masked, but see `padded`.
        name_pooled_NP: float16 of the surface form or name alone; None for images.
        present: bool [N]; whether there was something to encode.
        metadata: what made the features.
        content_key: of all rows, their ids and what was encoded for each.
    """

    ids: tuple[str, ...]
    tokens: Tokens
    pooled_NP: Tensor
    name_pooled_NP: Tensor | None
    present: NDArray[np.bool_]
    metadata: dict[str, Any]
    content_key: str

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def padded(self) -> bool:
        """Whether texts hold their padding, and rows without an image the states of an all-zero one."""
        return bool(self.metadata.get(KEEP_PADDING))

    @property
    def token_width(self) -> int:
        """C; 0 where there is nothing of this kind, as images of a text-only encoder."""
        return self.tokens.width

    @property
    def pooled_width(self) -> int:
        """P."""
        return self.pooled_NP.shape[1]

    def rows_of(self, ids: Sequence[str]) -> NDArray[np.int64]:
        """Where `ids` stand in this table; FeatureStoreError if one of them was never encoded."""
        row_of = {id_: row for row, id_ in enumerate(self.ids)}
        try:
            return np.array([row_of[id_] for id_ in ids], dtype=np.int64)
        except KeyError as error:
            raise FeatureStoreError(
                f"features of {error.args[0]} are missing; run dvc repro to encode again"
            ) from None


def read_features(folder: Path) -> FeatureTable:
    """Opens all shards of one part.

    Memory: the pooled embeddings, and one row group of them beside.

    Raises:
        FeatureStoreError: if the folder has no shard, a shard is broken, or shards don't fit together.
    """
    paths = sorted(folder.glob("shard-*.parquet"))
    if not paths:
        raise FeatureStoreError(f"{folder}: holds no feature shards; run dvc repro to encode")
    try:
        return _read(paths)
    except (OSError, ValueError, pa.ArrowException) as error:
        raise FeatureStoreError(
            f"{folder}: a feature shard is broken ({one_line(error)}); delete the folder and run dvc repro"
        ) from None


def _read(paths: Sequence[Path]) -> FeatureTable:
    files = [open_shard(path) for path in paths]
    metadata = shard_metadata(files[0])
    for path, file in zip(paths, files, strict=True):
        if shard_metadata(file) != metadata:
            raise FeatureStoreError(
                f"{path}: made with other settings than {paths[0].name}; delete the folder, dvc repro"
            )
    columns = PartColumns(**metadata["columns"])
    names = ["id", "status", "content_key", columns.count, CHECKSUM]
    light = pa.concat_tables([file.read(names) for file in files])
    lengths = light[columns.count].to_numpy().astype(np.int64)
    present = np.array([value == OK for value in light["status"].to_pylist()], dtype=bool)
    # With padding, a missing image has the states of an all-zero one.
    filled = present | bool(metadata.get(KEEP_PADDING))
    tokens = ShardTokens(paths, files, columns, lengths, light[CHECKSUM].to_numpy())

    ids = light["id"].to_pylist()

    def read_pooled(name: str) -> Tensor:
        values = np.zeros((len(light), columns.pooled_width), dtype="<f2")
        values[filled] = _read_column(files, name, int(filled.sum()), columns.pooled_width)
        if not np.isfinite(values).all():
            bad = ids[int(np.flatnonzero(~np.isfinite(values).all(axis=1))[0])]
            raise ValueError(f"{name} of {bad} is not finite")
        return torch.from_numpy(values)

    return FeatureTable(
        tuple(ids),
        tokens,
        read_pooled("pooled"),
        read_pooled("name_pooled") if columns.kind == "text" else None,
        present,
        metadata,
        content_key(ids, light["content_key"].to_pylist()),
    )


def _read_column(
    files: Sequence[pq.ParquetFile], name: str, num_rows: int, width: int
) -> NDArray[np.float16]:
    """Copies the bytes of a binary column, which has nulls where there is nothing, into one array."""
    flat, done = np.zeros((num_rows, width), dtype="<f2"), 0
    for file in files if width else ():
        for batch in file.iter_batches(ROW_GROUP_ROWS, columns=[name]):
            rows = _raw_values(batch.column(0)).reshape(-1, width)
            done += len(rows)
            if done <= num_rows:
                flat[done - len(rows) : done] = rows
    if width and done != num_rows:
        raise ValueError(f"column {name} holds {done} rows, its shards say {num_rows}")
    return flat


def _raw_values(column: Any) -> NDArray[np.float16]:
    """The bytes of a large_binary array as float16, without a copy (nulls have no bytes)."""
    offsets = np.frombuffer(column.buffers()[1], dtype="<i8")[
        column.offset : column.offset + len(column) + 1
    ]
    data = column.buffers()[2]
    if data is None or not len(column):
        return np.empty(0, dtype="<f2")
    return np.frombuffer(data, dtype="<f2")[offsets[0] // 2 : offsets[-1] // 2]


def check_feature_config(table: FeatureTable, folder: Path, wanted: dict[str, Any]) -> None:
    """Checks that features were made with the settings that params.yaml names.

    Args:
        wanted: metadata keys and values; keys that the part does not have are not compared, but those that
            are only there where they differ from a default.
    Raises:
        FeatureStoreError: naming the first setting that differs.
    """
    for key, value in (DEFAULTS | wanted).items():
        found = table.metadata.get(key, DEFAULTS.get(key, value))
        if found != value:
            raise FeatureStoreError(
                f"{folder}: made with {key} = {found!r}, params.yaml says {value!r}; run dvc repro"
            )
