"""One file of a dump: its blocks become chunks, and chunks that are finished are read past."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from mmoe.errors import WikidataError
from mmoe.wikidata.index.chunks import ChunkFolder, Record
from mmoe.wikidata.index.extract import Block, Extract
from mmoe.wikidata.index.pool import InOrder
from mmoe.wikidata.index.stream import BLOCK, Part, Stream, opened, whole_lines
from mmoe.wikidata.index.tally import Tally

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
            tally.add(batch_tally)
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
