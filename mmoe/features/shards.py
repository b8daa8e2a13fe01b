"""Features on disk: ragged float16 rows as raw bytes in Parquet.

Raw little-endian bytes in a `large_binary` column are read straight into one array; nested lists of
numbers would cost ten times as much to write and to read.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from mmoe.errors import FeatureStoreError, one_line
from mmoe.features.int8 import SCALE_BYTES, to_int8
from mmoe.sealed_parquet import check_seal, write_sealed

FORMAT_VERSION = "3"
ROW_GROUP_ROWS = 256
CHECKSUM = "token_checksum"  # CRC-32 of a row's tokens or patches, which readers get by seeking
# In the metadata of parts that differ in them.
KEEP_PADDING, DTYPE, TUNED = "keep_padding", "dtype", "tuned"
_STORED_AS = {"float16": "<f2", "int8": "<f2 scale, then i1"}
OK, ABSENT, UNREADABLE = "ok", "absent", "unreadable"


@dataclass(frozen=True)
class FeatureRow:
    """The features of one text or image; arrays are None where there is nothing to encode, but with padding.

    Attributes:
        tokens: float16 [num_tokens, C], of an image's patches if it is one; also None if left out.
        pooled: float16 [P].
        name_pooled: float16 [P] of the surface form or name alone; None for images.
        status: ok, absent (no image) or unreadable (a corrupt one).
        content_key: of what was encoded; rows of equal keys have equal features.
    """

    id: str
    status: str
    tokens: NDArray[np.float16] | None
    pooled: NDArray[np.float16] | None
    name_pooled: NDArray[np.float16] | None = None
    content_key: str = ""


@dataclass(frozen=True)
class PartColumns:
    """The feature columns of a part, by its kind.

    Attributes:
        token_width: C of the column token_features or patch_features; 0 if it is never filled.
        pooled_width: P of the columns pooled and, for texts, name_pooled.
        dtype: of token and patch features: float16, or int8 as `mmoe.features.int8` has it.
    """

    kind: Literal["text", "image"]
    token_width: int
    pooled_width: int
    dtype: Literal["float16", "int8"] = "float16"

    @property
    def token_bytes(self) -> int:
        """Of one token's or patch's features."""
        return 2 * self.token_width if self.dtype == "float16" else self.token_width + SCALE_BYTES

    @property
    def tokens(self) -> str:
        """Name of the column of token or patch features."""
        return "token_features" if self.kind == "text" else "patch_features"

    def dtype_of(self, column: str) -> str:
        """How a feature column is stored."""
        return self.dtype if column == self.tokens else "float16"

    @property
    def count(self) -> str:
        """Name of the column that counts them."""
        return "num_tokens" if self.kind == "text" else "num_patches"

    @property
    def widths(self) -> dict[str, int]:
        """Column names with widths, in order."""
        names = {"text": ("pooled", "name_pooled"), "image": ("pooled",)}[self.kind]
        return {self.tokens: self.token_width} | dict.fromkeys(names, self.pooled_width)


def shard_name(number: int) -> str:
    """File name of a shard; the names sort in row order."""
    return f"shard-{number:05d}.parquet"


def shard_table(
    rows: Sequence[FeatureRow], columns: PartColumns, metadata: Mapping[str, Any]
) -> pa.Table:
    """The rows as a shard holds them.

    Args:
        metadata: JSON values that say what made the features.
    Raises:
        FeatureStoreError: if a value is beyond float16 (then a row holds inf or NaN).
    """
    counts = [0 if row.tokens is None else len(row.tokens) for row in rows]
    data = {
        "id": pa.array([row.id for row in rows], pa.string()),
        "status": pa.array([row.status for row in rows], pa.string()),
        "content_key": pa.array([row.content_key for row in rows], pa.string()),
        columns.count: pa.array(counts, pa.int32()),
    }
    values = {name: _values(rows, columns, name) for name in columns.widths}
    checksums = [zlib.crc32(value or b"") for value in values[columns.tokens]]
    data[CHECKSUM] = pa.array(checksums, pa.uint32())
    fields = [pa.field(name, array.type, nullable=False) for name, array in data.items()]
    for name, width in columns.widths.items():
        data[name] = pa.array(values[name], pa.large_binary())
        stored = {"dtype": _STORED_AS[columns.dtype_of(name)], "width": str(width)}
        fields.append(pa.field(name, pa.large_binary(), metadata=stored))
    kept = {k: value for k, value in asdict(columns).items() if (k, value) != ("dtype", "float16")}
    made_with = json.dumps({**metadata, "columns": kept}, sort_keys=True)
    stored = {"mmoe.features": FORMAT_VERSION, "mmoe.metadata": made_with}
    return pa.Table.from_arrays(list(data.values()), schema=pa.schema(fields, stored))


def write_shard(path: Path, table: pa.Table) -> None:
    """Writes one shard, whole or not at all."""
    write_sealed(
        path,
        table.combine_chunks(),
        without=_tokens_in(table.schema),
        row_group_size=ROW_GROUP_ROWS,
        # Random-looking bits don't compress and dictionaries of them only cost time.
        compression="none",
        use_dictionary=["status"],
        write_batch_size=ROW_GROUP_ROWS,  # so that a row group is one page (mmoe.features.tokens)
    )


def _tokens_in(schema: pa.Schema) -> list[str]:
    """The column whose values have checksums of their own."""
    return [name for name in ("token_features", "patch_features") if name in schema.names]


def _values(rows: Sequence[FeatureRow], columns: PartColumns, name: str) -> list[bytes | None]:
    field, dtype = "tokens" if name == columns.tokens else name, columns.dtype_of(name)
    return [_bytes(getattr(row, field), dtype, name, row.id) for row in rows]


def _bytes(array: NDArray[np.float16] | None, dtype: str, column: str, id_: str) -> bytes | None:
    if array is None or not len(array):
        return None
    if not np.isfinite(array).all():
        raise FeatureStoreError(
            f"{column} of {id_}: the encoder's output is not finite or does not fit float16"
        )
    return (to_int8(array) if dtype == "int8" else array.astype("<f2", copy=False)).tobytes()


def open_shard(path: Path) -> pq.ParquetFile:
    """Opens a shard and checks that all of it but the tokens, which have checksums, is as it was written.

    Raises:
        FeatureStoreError: if it is broken, or written by another version.
    """
    try:
        file = pq.ParquetFile(path, page_checksum_verification=True)
    except (pa.ArrowException, OSError) as error:
        raise FeatureStoreError(
            f"{path}: not a whole Parquet file ({one_line(error)}); delete its folder and run dvc repro"
        ) from None
    version = (file.schema_arrow.metadata or {}).get(b"mmoe.features", b"none").decode()
    if version != FORMAT_VERSION:
        raise FeatureStoreError(
            f"{path}: feature format {version}, wanted {FORMAT_VERSION}: made by another version of mmoe; "
            "run dvc repro to encode again"
        )
    try:
        with path.open("rb") as content:
            check_seal(content, _tokens_in(file.schema_arrow))
    except ValueError as error:
        raise FeatureStoreError(
            f"{path}: {one_line(error)}; delete its folder and run stage encode again (dvc repro)"
        ) from None
    return file


def shard_metadata(file: pq.ParquetFile) -> dict[str, Any]:
    """What made the features: encoder, fingerprint, text length, columns …"""
    metadata: dict[str, Any] = json.loads(file.schema_arrow.metadata[b"mmoe.metadata"])
    return metadata
