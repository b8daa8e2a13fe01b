"""Features on disk: ragged float16 rows as raw bytes in Parquet.

Raw little-endian bytes in a `large_binary` column are read straight into one array; nested lists of
numbers would cost ten times as much to write and to read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from mmoe.errors import FeatureStoreError, one_line
from mmoe.files import atomic_write

FORMAT_VERSION = "1"
ROW_GROUP_ROWS = 256
OK, ABSENT, UNREADABLE = "ok", "absent", "unreadable"


@dataclass(frozen=True)
class FeatureRow:
    """The features of one text or image; arrays are None where there is nothing to encode.

    Attributes:
        states: float16 [num_states, C].
        pooled: float16 [P].
        name_pooled: float16 [P] of the word or name alone; None for images.
        status: ok, absent (no image) or unreadable (a corrupt one).
    """

    id: str
    status: str
    states: NDArray[np.float16] | None
    pooled: NDArray[np.float16] | None
    name_pooled: NDArray[np.float16] | None = None


def shard_name(number: int) -> str:
    """File name of a shard; the names sort in row order."""
    return f"shard-{number:05d}.parquet"


def write_shard(
    path: Path, rows: Sequence[FeatureRow], widths: Mapping[str, int], metadata: Mapping[str, Any]
) -> None:
    """Writes one shard.

    Args:
        widths: of the columns states, pooled and name_pooled; 0 for a column that is never filled.
        metadata: JSON values that say what made the features.
    Raises:
        FeatureStoreError: if a value is beyond float16 (then a row holds inf or NaN).
    """
    columns = {name: [getattr(row, name) for row in rows] for name in widths}
    for name, arrays in columns.items():
        _check_finite(rows, name, arrays)
    counts = [0 if row.states is None else len(row.states) for row in rows]
    arrays = [
        pa.array([row.id for row in rows], pa.string()),
        pa.array([row.status for row in rows], pa.string()),
        pa.array(counts, pa.int32()),
        *(
            pa.array([_bytes(value) for value in columns[name]], pa.large_binary())
            for name in widths
        ),
    ]
    stored = {
        "mmoe.features": FORMAT_VERSION,
        "mmoe.metadata": json.dumps({**metadata, "widths": dict(widths)}, sort_keys=True),
    }
    table = pa.Table.from_arrays(arrays, schema=_schema(widths).with_metadata(stored))
    with atomic_write(path) as temporary:
        # Random-looking bits don't compress and dictionaries of them only cost time.
        pq.write_table(
            table,
            temporary,
            compression="none",
            use_dictionary=["status"],
            row_group_size=ROW_GROUP_ROWS,
        )


def _schema(widths: Mapping[str, int]) -> pa.Schema:
    features = [
        pa.field(name, pa.large_binary(), metadata={"dtype": "<f2", "width": str(width)})
        for name, width in widths.items()
    ]
    return pa.schema(
        [
            pa.field("id", pa.string(), nullable=False),
            pa.field("status", pa.string(), nullable=False),
            pa.field("num_states", pa.int32(), nullable=False),
            *features,
        ]
    )


def _bytes(array: NDArray[np.float16] | None) -> bytes | None:
    return None if array is None else array.astype("<f2", copy=False).tobytes()


def _check_finite(
    rows: Sequence[FeatureRow], name: str, arrays: Sequence[NDArray[np.float16] | None]
) -> None:
    for row, array in zip(rows, arrays, strict=True):
        if array is not None and not np.isfinite(array).all():
            raise FeatureStoreError(
                f"{name} of {row.id}: the encoder's output is not finite or does not fit float16"
            )


def open_shard(path: Path) -> pq.ParquetFile:
    """Opens a shard and checks that it is whole.

    Raises:
        FeatureStoreError: if it is truncated, or written by another version.
    """
    try:
        file = pq.ParquetFile(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise FeatureStoreError(
            f"{path}: not a whole Parquet file ({one_line(error)}); delete its folder and run dvc repro"
        ) from None
    version = (file.schema_arrow.metadata or {}).get(b"mmoe.features", b"none").decode()
    if version != FORMAT_VERSION:
        raise FeatureStoreError(
            f"{path}: feature format {version}, wanted {FORMAT_VERSION}; run dvc repro to encode again"
        )
    return file


def shard_metadata(file: pq.ParquetFile) -> dict[str, Any]:
    """What made the features: encoder, fingerprint, text length, widths …"""
    metadata: dict[str, Any] = json.loads(file.schema_arrow.metadata[b"mmoe.metadata"])
    return metadata
