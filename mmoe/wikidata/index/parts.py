"""The chunks of a dump: the rows of consecutive blocks, kept in the work folder until the index is whole.

A chunk is two tables, written under the numbers of its part and of itself in it, and a record, which is
written last: a chunk without record is not finished. Blocks may be extracted by several processes; their
results come in the blocks' order, so that the chunks are the same.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import zlib
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from mmoe.errors import WikidataError
from mmoe.files import atomic_write, read_json, write_json
from mmoe.wikidata.dump import BLOCK, Part, Stream, opened, whole_lines
from mmoe.wikidata.index.extract import Block, Extract, Tally, extract
from mmoe.wikidata.label_index import ITEMS, NAMES
from mmoe.wikidata.selection import Selection

RECORDS = "records"
AHEAD = 8  # blocks per process that are read before their results are taken

InOrder = Callable[[Iterable[Block]], Iterator[Extract]]
Report = Callable[[int], object]


@dataclass(frozen=True)
class RunOptions:
    """How an index is made; nothing here changes what comes of it.

    Attributes:
        processes: that extract items.
        work: where unfinished work is kept; None for the folder of the index.
        ray: whether the files of a folder are spread with Ray Data.
        block: bytes of a block, which one process extracts at once.
        blocks_per_chunk: blocks that are kept together; a killed run loses at most these.
    """

    processes: int = 1
    work: Path | None = None
    ray: bool = False
    block: int = BLOCK
    blocks_per_chunk: int = 256


class Record(NamedTuple):
    """What is known of a finished chunk: size in bytes and CRC-32 of each block, and its lines."""

    blocks: list[tuple[int, int]]
    tally: Tally


def finished_chunks(work: Path, part: int) -> list[Record]:
    """The records of a part's finished chunks, up to the first that is missing."""
    records: list[Record] = []
    while (file := _record(work, part, len(records))).is_file():
        found = read_json(file)
        blocks = [(size, checksum) for size, checksum in found["blocks"]]
        records.append(Record(blocks, Tally(Counter(found["counts"]), found["examples"])))
    return records


def finished_lines(work: Path, parts: Iterable[Part]) -> Tally:
    """What became of the lines of all finished chunks."""
    return Tally.sum(
        record.tally for part in parts for record in finished_chunks(work, part.number)
    )


def write_chunk(
    work: Path, part: int, number: int, extracts: Sequence[Extract], tally: Tally
) -> None:
    """Writes a chunk, its record last."""
    record = _record(work, part, number)
    for table in (ITEMS, NAMES):
        rows = pa.concat_tables([getattr(each, table) for each in extracts])
        with atomic_write(work / table / f"{record.stem}.parquet") as temporary:
            pq.write_table(rows, temporary, compression="zstd")
    write_json(record, {"blocks": [(each.size, each.checksum) for each in extracts]} | vars(tally))


def _record(work: Path, part: int, number: int) -> Path:
    return work / RECORDS / f"{part:05d}-{number:06d}.json"


def extract_part(
    part: Part, work: Path, in_order: InOrder, options: RunOptions, report: Report
) -> None:
    """Makes the chunks of a part that are not there yet.

    Args:
        in_order: extracts blocks.
        report: is told how many bytes of the file, as it lies on the disk, have been read.
    Raises:
        WikidataError: if the part is cut off or damaged, is no dump, or is not the one of which there
            are chunks.
    """
    done = finished_chunks(work, part.number)
    tally = Tally.sum(record.tally for record in done)
    with opened(part) as stream:
        _read_past(stream, done, part, work)
        report(stream.position())
        blocks = _blocks(part, stream, tally.counts.total(), options.block, report)
        extracts, number = in_order(blocks), len(done)
        while batch := list(islice(extracts, options.blocks_per_chunk)):
            own = Tally.sum(each.tally for each in batch)
            tally = Tally.sum((tally, own))
            tally.check(part.where)
            write_chunk(work, part.number, number, batch, own)
            number += 1
        if stream.fault is not None:
            raise WikidataError(
                f"{part.where}: breaks off or is damaged at about byte {stream.position():,} "
                f"({stream.fault}); the {tally.lines:,} entities before it are kept in "
                f"{work}: get the whole file under the same name and run the same command "
                "again to go on"
            )


def _read_past(stream: Stream, done: Sequence[Record], part: Part, work: Path) -> None:
    """Reads what finished chunks were made of, and makes sure that it is the same."""
    is_same, data = True, b"\n"
    for size, checksum in (block for record in done for block in record.blocks):
        data = stream.read(size)
        is_same = is_same and zlib.crc32(data) == checksum
    # A last line without newline must have been the last one.
    is_same = is_same and (data.endswith(b"\n") or not stream.read(1))
    if not is_same:
        raise WikidataError(
            f"{part.where}: is not the dump of which {work} holds finished work; "
            "delete that folder to begin anew"
        )


def _blocks(
    part: Part, stream: Stream, lines_before: int, size: int, report: Report
) -> Iterator[Block]:
    for data in whole_lines(stream, part.where, size):
        yield Block(part.number, part.name, lines_before, data)
        lines_before += data.count(b"\n")
        report(stream.position())


@contextmanager
def extracting(selection: Selection, processes: int) -> Iterator[InOrder]:
    """Yields a function that extracts blocks in turn.

    Args:
        processes: that extract; with one, it is this one.
    """
    if processes == 1:
        yield partial(map, partial(extract, selection=selection))
        return
    pool = ProcessPoolExecutor(
        processes, mp_context=multiprocessing.get_context("spawn"), initializer=_start_worker
    )
    try:
        yield partial(_in_order, pool, selection, processes * AHEAD)
    finally:
        pool.shutdown(cancel_futures=True)


def _in_order(
    pool: ProcessPoolExecutor, selection: Selection, ahead: int, blocks: Iterable[Block]
) -> Iterator[Extract]:
    waiting: deque[Future[Extract]] = deque()
    try:
        for block in blocks:
            waiting.append(pool.submit(extract, block, selection))
            # The blocks that wait take memory, so no more are read than keep all processes busy.
            if len(waiting) > ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool:
        raise WikidataError(
            "a process that extracts was ended from outside, often for lack of memory; "
            "run the command again to go on, with fewer --processes"
        ) from None


def _start_worker() -> None:
    # Ctrl-C reaches all processes of a terminal; the first one ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A killed parent can't end its workers, and they would wait for blocks for ever."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
