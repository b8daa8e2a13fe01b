"""Finished chunks: the rows of consecutive blocks, kept in the work folder until the index is whole."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from mmoe.errors import WikidataError
from mmoe.files import atomic_write, read_json, write_json
from mmoe.wikidata.dump import BLOCK, Part, Stream, opened, whole_lines
from mmoe.wikidata.index.extract import PLACED_ITEMS, PLACED_NAMES, Block, Extract
from mmoe.wikidata.index.tally import Tally
from mmoe.wikidata.index.workers import InOrder
from mmoe.wikidata.label_index import ITEMS, NAMES

RECORDS = "records"


@dataclass(frozen=True)
class Record:
    """What is known of a finished chunk; a chunk without record is not finished.

    Attributes:
        blocks: size in bytes and CRC-32 of each.
        num_lines: brackets and empty ones included.
    """

    blocks: Sequence[tuple[int, int]]
    num_lines: int
    tally: Tally


@dataclass(frozen=True)
class ChunkFolder:
    """The finished chunks of a dump, by the number of the part and of the chunk in it."""

    folder: Path

    def finished(self, part: int) -> list[Record]:
        """The records of a part's finished chunks, up to the first that is missing."""
        records: list[Record] = []
        while (file := self._record(part, len(records))).is_file():
            fields: dict[str, Any] = read_json(file)
            blocks = [(size, checksum) for size, checksum in fields["blocks"]]
            records.append(Record(blocks, fields["lines"], Tally.from_json(fields["tally"])))
        return records

    def write(self, part: int, number: int, extracts: Sequence[Extract], tally: Tally) -> None:
        """Writes a chunk, its record last.

        Args:
            tally: of the extracts.
        """
        name = f"{_name(part, number)}.parquet"
        _write(self.folder / ITEMS / name, [each.items for each in extracts], PLACED_ITEMS)
        _write(self.folder / NAMES / name, [each.names for each in extracts], PLACED_NAMES)
        record = {
            "blocks": [(each.size, each.checksum) for each in extracts],
            "lines": sum(each.num_lines for each in extracts),
            "tally": vars(tally),
        }
        write_json(self._record(part, number), record)

    def _record(self, part: int, number: int) -> Path:
        return self.folder / RECORDS / f"{_name(part, number)}.json"


def _name(part: int, number: int) -> str:
    return f"{part:05d}-{number:06d}"


def _write(path: Path, batches: Sequence[pa.RecordBatch], schema: pa.Schema) -> None:
    with atomic_write(path) as temporary:
        pq.write_table(pa.Table.from_batches(batches, schema), temporary, compression="zstd")


Report = Callable[[int], object]


@dataclass(frozen=True)
class Grain:
    """How finely the work is divided.

    Attributes:
        block: bytes of a block, which one process extracts at once.
        blocks_per_chunk: blocks that are kept together; a killed run loses at most these.
    """

    block: int = BLOCK
    blocks_per_chunk: int = 256


@dataclass(frozen=True)
class PartResult:
    """What came of a part.

    Attributes:
        tally: of all its lines.
        resumed: lines among them that an earlier run had extracted.
    """

    tally: Tally
    resumed: int


def extract_part(
    part: Part, chunks: ChunkFolder, in_order: InOrder, grain: Grain, report: Report
) -> PartResult:
    """Makes the chunks of a part that are not there yet.

    Args:
        in_order: extracts blocks.
        report: is told how many bytes of the file, as it lies on the disk, have been read.
    Raises:
        WikidataError: if the part is cut off or damaged, is no dump, or is not the one of which there
            are chunks.
    """
    done = chunks.finished(part.number)
    tally = Tally.sum(record.tally for record in done)
    resumed = tally.lines
    with opened(part) as stream:
        _read_past(stream, done, part, chunks)
        report(stream.position())
        lines_before = sum(record.num_lines for record in done)
        extracts = in_order(_blocks(part, stream, lines_before, grain.block, report))
        for number, batch in enumerate(_batched(extracts, grain.blocks_per_chunk), len(done)):
            batch_tally = Tally.sum(each.tally for each in batch)
            tally = Tally.sum((tally, batch_tally))
            tally.check(part.where)
            chunks.write(part.number, number, batch, batch_tally)
        if stream.fault is not None:
            raise WikidataError(
                f"{part.where}: breaks off or is damaged at about byte {stream.position():,} "
                f"({stream.fault}); the {tally.lines:,} entities before it are kept in "
                f"{chunks.folder}: get the whole file under the same name and run the same command "
                "again to go on"
            )
    return PartResult(tally, resumed)


def _blocks(
    part: Part, stream: Stream, lines_before: int, size: int, report: Report
) -> Iterator[Block]:
    for data in whole_lines(stream, part.where, size):
        yield Block(part.number, part.name, lines_before, data)
        lines_before += data.count(b"\n")
        report(stream.position())


def _batched(extracts: Iterable[Extract], size: int) -> Iterator[list[Extract]]:
    rest = iter(extracts)
    while batch := list(islice(rest, size)):
        yield batch


def _read_past(stream: Stream, done: Sequence[Record], part: Part, chunks: ChunkFolder) -> None:
    """Reads what finished chunks were made of, and makes sure that it is the same."""
    is_same, data = True, b"\n"
    for size, checksum in (block for record in done for block in record.blocks):
        data = stream.read(size)
        is_same = is_same and zlib.crc32(data) == checksum
    # A last line without newline must have been the last one.
    is_same = is_same and (data.endswith(b"\n") or not stream.read(1))
    if not is_same:
        raise WikidataError(
            f"{part.where}: is not the dump of which {chunks.folder} holds finished work; "
            "delete that folder to begin anew"
        )
