"""Token or patch features of a part's rows, read from their shards when they are asked for.

Shards hold the features as raw bytes, uncompressed and one page a row group (`mmoe.features.shards`). So the
place of every row follows from the numbers of tokens and the file's own metadata, and rows are read straight
to where they are wanted: nothing is decoded, nothing held, and a store may be larger than memory.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow.parquet as pq
import torch
from numpy.typing import NDArray
from torch import Tensor

from mmoe.errors import FeatureStoreError
from mmoe.features.int8 import SCALE_BYTES, to_int8
from mmoe.features.shards import PartColumns

PREFIX = 4  # bytes of length that Parquet stores before each value (encoding PLAIN)
MOST = float(np.finfo(np.float16).max)
MOST_VECTORS = 1024  # of one preadv, IOV_MAX of Linux and macOS
MOST_BYTES = 1 << 28  # of one preadv; Linux reads at most 2 GiB


class Tokens(Protocol):
    """Ragged float16 rows of width C."""

    @property
    def lengths_N(self) -> NDArray[np.int64]:
        """Vectors in each row; 0 for a row without any."""
        ...

    @property
    def width(self) -> int:
        """C."""
        ...

    def gather(self, rows_B: NDArray[np.int64]) -> Tensor:
        """The vectors of some rows, in any order and with repeats, one row after the other: [T, C]."""
        ...


@dataclass(frozen=True)
class MemoryTokens:
    """Rows that are held in memory, one after the other in `values_TC`; see `Tokens`."""

    values_TC: Tensor
    lengths_N: NDArray[np.int64]

    @property
    def width(self) -> int:
        """C."""
        return self.values_TC.shape[1]

    def gather(self, rows_B: NDArray[np.int64]) -> Tensor:
        """See `Tokens`."""
        starts = self.lengths_N.cumsum() - self.lengths_N
        return self.values_TC[torch.from_numpy(positions(starts[rows_B], self.lengths_N[rows_B]))]


class ShardTokens:
    """Rows that lie in Parquet shards; see `Tokens`. Threads may share it.

    Args:
        paths: the shards, opened in `files`.
        columns: what they hold.
        lengths_N: of all rows.
        checksums_N: CRC-32 of each row's bytes; compared whenever it is read.
    Raises:
        ValueError: if a shard's bytes don't lie as its metadata says.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        files: Sequence[pq.ParquetFile],
        columns: PartColumns,
        lengths_N: NDArray[np.int64],
        checksums_N: NDArray[np.uint32],
    ) -> None:
        self._lengths_N, self._columns, self._checksums_N = lengths_N, columns, checksums_N
        ends = np.cumsum([0, *(file.metadata.num_rows for file in files)])
        self._shard_N = np.repeat(np.arange(len(files)), np.diff(ends))
        self._start_N = np.zeros(len(lengths_N), dtype=np.int64)
        self._shards = [_Shard.of(path) for path in paths]
        for shard, file, (first, end) in zip(self._shards, files, pairwise(ends), strict=True):
            if columns.token_width:
                sizes = columns.token_bytes * lengths_N[first:end]
                self._start_N[first:end] = shard.places(file.metadata, columns.tokens, sizes)

    @property
    def lengths_N(self) -> NDArray[np.int64]:
        """See `Tokens`."""
        return self._lengths_N

    @property
    def width(self) -> int:
        """C."""
        return self._columns.token_width

    def gather(self, rows_B: NDArray[np.int64]) -> Tensor:
        """See `Tokens`.

        Raises:
            FeatureStoreError: if a shard was changed since the part was opened, or is not as it was written.
        """
        if not self.width:
            return torch.empty(0, 0, dtype=torch.float16)
        sizes = self._columns.token_bytes * self.lengths_N[rows_B]
        target = np.empty(int(sizes.sum()), dtype=np.uint8)
        at, starts, shards = sizes.cumsum() - sizes, self._start_N[rows_B], self._shard_N[rows_B]
        order = np.lexsort((starts, shards))
        order = order[sizes[order] > 0]
        for some in np.split(order, np.flatnonzero(np.diff(shards[order])) + 1):
            if len(some):
                places = starts[some].tolist(), sizes[some].tolist(), at[some].tolist()
                self._shards[shards[some[0]]].read(target.data, *places)
        self._check(rows_B, target.data, sizes.cumsum())
        bytes_TB = target.reshape(-1, self._columns.token_bytes)
        if self._columns.dtype == "int8":
            return from_int8(bytes_TB)
        return torch.from_numpy(bytes_TB.view("<f2"))

    def _check(
        self, rows_B: NDArray[np.int64], found: memoryview, ends_B: NDArray[np.int64]
    ) -> None:
        start = 0
        for row, end, right in zip(rows_B, ends_B, self._checksums_N[rows_B], strict=True):
            if zlib.crc32(found[start:end]) != right:
                shard = self._shards[self._shard_N[row]].path
                raise FeatureStoreError(
                    f"{shard}: row {row} of its part is not as it was written; delete its folder and run "
                    "stage encode again (dvc repro)"
                )
            start = end


@dataclass(frozen=True)
class TokenRows:
    """Some records' rows, in their order; see `Tokens`.

    Attributes:
        rows_N: where they stand in `stored`.
        has_N: bool; those that count as empty although the store holds something are False.
    """

    stored: Tokens
    rows_N: NDArray[np.int64]
    has_N: NDArray[np.bool_]

    @cached_property
    def lengths_N(self) -> NDArray[np.int64]:
        """See `Tokens`."""
        return np.where(self.has_N, self.stored.lengths_N[self.rows_N], 0)

    @property
    def width(self) -> int:
        """C."""
        return self.stored.width

    def gather(self, rows_B: NDArray[np.int64]) -> Tensor:
        """See `Tokens`."""
        return self.stored.gather(self.rows_N[rows_B[self.has_N[rows_B]]])


def from_int8(bytes_TB: NDArray[np.uint8]) -> Tensor:
    """The vectors, float16 [T, C], that `to_int8` made these bytes of."""
    scale_T = np.frombuffer(bytes_TB[:, :SCALE_BYTES].tobytes(), "<f2").astype(np.float32)
    steps_TC = torch.from_numpy(bytes_TB[:, SCALE_BYTES:].view(np.int8))
    values_TC = steps_TC.float() * torch.from_numpy(scale_T)[:, None]
    # The largest numbers of float16 would come back as infinity, by a scale that was rounded up.
    return values_TC.clamp_(-MOST, MOST).half()


def through_int8(tokens_TC: NDArray[np.float16]) -> NDArray[np.float16]:
    """Some vectors as they come back from a store of 8-bit integers."""
    kept: NDArray[np.float16] = from_int8(to_int8(tokens_TC)).numpy()
    return kept


def positions(starts_B: NDArray[np.int64], lengths_B: NDArray[np.int64]) -> NDArray[np.int64]:
    """The positions start, start + 1, … of every row, one row after the other."""
    moved_T: NDArray[np.int64] = np.repeat(starts_B - (lengths_B.cumsum() - lengths_B), lengths_B)
    return moved_T + np.arange(len(moved_T))


def blocks(tokens: Tokens, size: int) -> Iterator[Tensor]:
    """All vectors [T, C] in the rows' order, about `size` at a time."""
    number_N = (tokens.lengths_N.cumsum() - 1) // size
    for rows in np.split(np.arange(len(number_N)), np.flatnonzero(np.diff(number_N)) + 1):
        yield tokens.gather(rows)


@dataclass(frozen=True)
class _Shard:
    """A file, and by what it is known again."""

    path: Path
    known_by: tuple[int, int, int]

    @classmethod
    def of(cls, path: Path) -> _Shard:
        return cls(path, _known_by(path.stat()))

    def places(
        self, metadata: pq.FileMetaData, column: str, sizes_N: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """Where each row's values begin, in bytes from the start of the file.

        A column chunk is a page header, which values are null, and the values, each behind its length.

        Args:
            sizes_N: bytes of each row's values; 0 for null.
        """
        index = metadata.schema.names.index(column)
        groups = [metadata.row_group(i) for i in range(metadata.num_row_groups)]
        starts_N, row = np.zeros(len(sizes_N), dtype=np.int64), 0
        with self.path.open("rb") as file:
            for group in groups:
                rows = slice(row, row + group.num_rows)
                sizes, chunk, row = sizes_N[rows], group.column(index), rows.stop
                spans = sizes + PREFIX * (sizes > 0)
                end = chunk.data_page_offset + chunk.total_compressed_size
                starts_N[rows] = starts = end - spans.sum() + spans.cumsum() - sizes
                for i in np.flatnonzero(sizes)[[0, -1]] if spans.any() else ():
                    prefix = os.pread(file.fileno(), PREFIX, max(0, int(starts[i]) - PREFIX))
                    if int.from_bytes(prefix, "little") != sizes[i]:
                        raise ValueError(f"{column} doesn't lie as its counts say")
        return starts_N

    def read(self, target: memoryview, starts: list[int], sizes: list[int], at: list[int]) -> None:
        """Reads rows, in the order of the file; neighbours at once."""
        gap, i = bytearray(PREFIX), 0
        with self.path.open("rb", buffering=0) as file:
            if _known_by(os.fstat(file.fileno())) != self.known_by:
                raise FeatureStoreError(f"{self.path}: changed while it was read; run it again")
            while i < len(starts):
                begin, end = starts[i], starts[i] + sizes[i]
                vectors = [target[at[i] : at[i] + sizes[i]]]
                i += 1
                while (
                    i < len(starts)
                    and starts[i] == end + PREFIX
                    and len(vectors) < MOST_VECTORS - 1
                    and end - begin < MOST_BYTES
                ):
                    vectors += [memoryview(gap), target[at[i] : at[i] + sizes[i]]]
                    end = starts[i] + sizes[i]
                    i += 1
                if os.preadv(file.fileno(), vectors, begin) != end - begin:
                    raise FeatureStoreError(
                        f"{self.path}: shorter than it says; delete its folder and run dvc repro"
                    )


def _known_by(stat: os.stat_result) -> tuple[int, int, int]:
    return stat.st_ino, stat.st_size, stat.st_mtime_ns
