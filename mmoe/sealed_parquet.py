"""Parquet files that know their own bytes: a reader notices each one that is not as it was written.

Every file holds, as the value of `mmoe.sha256` in its footer, the SHA-256 of its own bytes, these 64 digits
taken as zeros. Other programs read such a file as any other. Page checksums, which Parquet has, say nothing
of headers and footer, and readers that seek leave them out.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from mmoe.files import atomic_write

SEAL, MADE_OF = "mmoe.sha256", "mmoe.made_of"
_OPEN = b"0" * 64
_TAIL = 8  # bytes behind the footer: its length, and PAR1
_PIECE = 1 << 24


@contextmanager
def sealed_writer(
    path: Path, schema: pa.Schema, without: Collection[str] = (), **options: Any
) -> Iterator[pq.ParquetWriter]:
    """Writes a file, whole and sealed or not at all.

    Args:
        without: columns that the seal leaves out, as they have checksums of their own.
        options: of ParquetWriter.
    """
    # A table that was read from such a file brings that one's seal.
    own = {key: value for key, value in (schema.metadata or {}).items() if key != SEAL.encode()}
    schema = schema.with_metadata(own)
    with atomic_write(path) as temporary:
        with pq.ParquetWriter(temporary, schema, write_page_checksum=True, **options) as writer:
            yield writer
            writer.add_key_value_metadata({SEAL: _OPEN.decode()})
        with temporary.open("r+b") as file:
            metadata = pq.read_metadata(file)
            place, digest = _place(file, _OPEN), _digest(file, metadata, _OPEN, without)
            file.seek(place)
            file.write(digest)


def write_sealed(
    path: Path,
    table: pa.Table,
    made_of: Sequence[Path] = (),
    without: Collection[str] = (),
    row_group_size: int | None = None,
    **options: Any,
) -> None:
    """Writes a table as `sealed_writer` does.

    Args:
        made_of: sealed files that it was computed from; see `made_of_by`.
        options: of ParquetWriter; compression is zstd without one.
    """
    if made_of:
        seals = json.dumps({file.name: seal_of(file) for file in made_of}, sort_keys=True)
        table = table.replace_schema_metadata({**(table.schema.metadata or {}), MADE_OF: seals})
    chosen = {"compression": "zstd"} | options
    with sealed_writer(path, table.schema, without, **chosen) as writer:
        writer.write_table(table, row_group_size)


def read_sealed(path: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """A whole file, or some columns of it.

    Raises:
        FileNotFoundError: if there is none.
        ValueError: if it is broken, or not as it was written.
    """
    # Into Arrow's own memory: its threads outlive the read, and if Python ends while one of them lets go of
    # an object of Python's, the process aborts.
    with path.open("rb"), pa.OSFile(str(path)) as stream:  # errors of the former name the file
        content = stream.read_buffer()
    check_seal(pa.BufferReader(content))
    chosen = None if columns is None else list(columns)
    file = pq.ParquetFile(pa.BufferReader(content))
    if lost := set(chosen or ()) - set(file.schema_arrow.names):
        raise ValueError(f"holds no column {min(lost)}")
    return file.read(chosen)


def check_seal(file: BinaryIO, without: Collection[str] = (), *, needed: bool = True) -> None:
    """Compares a file's bytes with its seal.

    Args:
        without: columns that the seal leaves out.
        needed: False lets a file pass that has no seal, as earlier versions wrote it.
    Raises:
        ValueError: if they differ, or it has none.
    """
    metadata = pq.read_metadata(file)
    if not needed and SEAL.encode() not in (metadata.metadata or {}):
        return
    seal = _seal(metadata)
    if _digest(file, metadata, seal, without) != seal:
        raise ValueError("its bytes are not those that were written, by its own checksum")


def seal_of(path: Path) -> str:
    """The checksum that a file states, which names its content; it is not compared."""
    return _seal(pq.read_metadata(path)).decode()


def made_of_by(schema: pa.Schema, files: Sequence[Path]) -> dict[Path, str]:
    """The seals that some files had when a table was computed from them; "" where it was not."""
    stated: dict[str, str] = json.loads((schema.metadata or {}).get(MADE_OF.encode(), b"{}"))
    return {file: stated.get(file.name, "") for file in files}


def _seal(metadata: pq.FileMetaData) -> bytes:
    seal: bytes = (metadata.metadata or {}).get(SEAL.encode(), b"")
    if len(seal) != len(_OPEN):
        raise ValueError("holds no checksum of itself: made by another version of mmoe")
    return seal


def _place(file: BinaryIO, seal: bytes) -> int:
    """Where the seal stands."""
    file.seek(-_TAIL, 2)
    end = file.tell()
    start = end - int.from_bytes(file.read(4), "little")
    file.seek(start)
    footer = file.read(end - start)
    place = footer.find(seal, footer.rfind(SEAL.encode()))
    if place < 0:
        raise ValueError("holds no checksum of itself where it should stand")
    return start + place


def _digest(
    file: BinaryIO, metadata: pq.FileMetaData, seal: bytes, without: Collection[str]
) -> bytes:
    place = _place(file, seal)
    file.seek(0, 2)
    size = file.tell()
    left_out = [(place, place + len(seal)), *_chunks(metadata, without)]
    digest, at = hashlib.sha256(), 0
    for start, end in [*sorted(left_out), (size, size)]:
        if not at <= start <= end <= size:
            raise ValueError("its footer contradicts itself")
        file.seek(at)
        for position in range(at, start, _PIECE):
            digest.update(file.read(min(_PIECE, start - position)))
        at = end
    return digest.hexdigest().encode()


def _chunks(metadata: pq.FileMetaData, columns: Collection[str]) -> Iterator[tuple[int, int]]:
    """Where the values of some columns lie."""
    for name in columns:
        column = metadata.schema.names.index(name)
        for number in range(metadata.num_row_groups):
            chunk = metadata.row_group(number).column(column)
            starts = chunk.data_page_offset, chunk.dictionary_page_offset
            start = min(each for each in starts if each is not None)
            yield start, start + chunk.total_compressed_size
