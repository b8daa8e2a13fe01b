"""The label index of a dump: megabytes of JSON per second and core, against orjson alone; and memory.

usage  python -m benchmarks.label_index [--megabytes 1000] [--runs 3]

The plain way parses the same lines with orjson.loads and keeps nothing. Speeds are by processor seconds, so
that another process on the machine changes them little. From them the time for the full dump is computed.
"""

from __future__ import annotations

import argparse
import gzip
import multiprocessing
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any
from unittest.mock import patch

import orjson

from mmoe.wikidata.dump import opened, parts_of, whole_lines
from mmoe.wikidata.index import build, merge
from mmoe.wikidata.index.build import build_index
from mmoe.wikidata.index.extract import Block, extract
from mmoe.wikidata.index.parts import RunOptions
from mmoe.wikidata.selection import Selection

from benchmarks.generated_dump import DumpWriter

FULL_MEGABYTES = 1.6e6  # of JSON in the full dump of 2026
# Seconds, measured once over 118 million items and 236 million names, with two cores, 1.4 GB of memory and
# 27 GB of spilled rows. It can't be computed from a small dump, which does not spill.
FULL_SORT = 704
GZIPPED = 100  # megabytes of JSON by which the speed of gzip is taken

Figures = dict[str, float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=3, help="of which the median counts")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        dump = folder / "dump.json"
        entities = DumpWriter().write(dump, arguments.megabytes)
        size = dump.stat().st_size / 1e6
        print(f"{size:,.0f} MB, {entities:,} entities, {size * 1e3 / entities:.1f} kB each")
        ours, plain = [], []
        for _ in range(arguments.runs):
            plain.append(alone(parse_only, dump))
            ours.append(alone(index, dump, folder / "out", 1))
        two = alone(index, dump, folder / "out", 2)
        gzip_speed = reading_speed(gzipped(dump, folder / "dump.json.gz"))
    one, parsed = median(ours), median(plain)
    print(f"{one['items']:,.0f} items, {one['names']:,.0f} names")
    print(
        f"one process: extracting {one['extract']:.1f} s, sorting {one['sort']:.1f} s of processor, "
        f"{one['wall']:.1f} s in all; orjson alone {parsed['seconds']:.1f} s"
    )
    print(
        f"memory: {one['memory']:,.0f} MB; with two more processes that extract {two['memory']:,.0f} MB"
    )
    print_full_dump(size, one, two, gzip_speed)
    # Only here: it imports torch, which the processes that are measured would import as well.
    from benchmarks.measure import print_result

    speed, plain_speed = size / one["seconds"], size / parsed["seconds"]
    print_result("label_index.speed", speed, "MB/s", plain_speed, higher_is_better=True)


def alone(work: Callable[..., Figures], *arguments: Any) -> Figures:
    """What `work` returns in a process of its own."""
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=fresh) as executor:
        return executor.submit(work, *arguments).result()


def parse_only(dump: Path) -> Figures:
    """Seconds of orjson.loads over all lines; reading and splitting them is not counted."""
    seconds = 0.0
    (part,) = parts_of(str(dump))
    with opened(part) as stream:
        for block in whole_lines(stream, part.where):
            lines = [line.removesuffix(b",") for line in block.split(b"\n")]
            lines = [line for line in lines if line not in (b"", b"[", b"]")]
            start = time.process_time()
            for line in lines:
                try:
                    orjson.loads(line)
                except orjson.JSONDecodeError:
                    continue
            seconds += time.process_time() - start
    return {"seconds": seconds}


def index(dump: Path, out: Path, processes: int) -> Figures:
    """Builds the index; processor seconds of this process, wall seconds, and megabytes of all processes.

    The memory is an upper bound: each process's highest, as if all were at once, shared pages in each.
    """
    sorting_began: list[float] = []

    def noting(*arguments: Any) -> tuple[int, int, int]:
        sorting_began.append(time.process_time())
        return merge.merge_chunks(*arguments)

    selection, options = Selection(("en",)), RunOptions(processes=processes)
    # The first array makes pyarrow import pandas: a quarter of a second that no large dump notices.
    extract(Block(0, dump.name, 0, b"[\n"), selection)
    start, wall_start = time.process_time(), time.perf_counter()
    with patch.object(build, "merge_chunks", noting):
        source = build_index(str(dump), out, selection, options).source
    end = time.process_time()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if processes > 1:
        memory += processes * resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return {
        "seconds": end - start,
        "extract": sorting_began[0] - start,
        "sort": end - sorting_began[0],
        "wall": time.perf_counter() - wall_start,
        "memory": memory / 1024,
        "items": source["items"],
        "names": source["names"],
    }


def median(runs: list[Figures]) -> Figures:
    return {name: statistics.median(run[name] for run in runs) for name in runs[0]}


def gzipped(dump: Path, to: Path) -> Path:
    """The beginning of a dump in members of about a megabyte, as the real one has many."""
    with dump.open("rb") as source, to.open("wb") as out:
        for _ in range(GZIPPED):
            out.write(gzip.compress(source.read(10**6), 6))
    return to


def reading_speed(dump: Path) -> float:
    """Megabytes of JSON that one process decompresses a second."""
    (part,) = parts_of(str(dump))
    start, size = time.process_time(), 0
    with opened(part) as stream:
        for block in whole_lines(stream, part.where):
            size += len(block)
    return size / 1e6 / (time.process_time() - start)


def print_full_dump(size: float, one: Figures, two: Figures, gzip_speed: float) -> None:
    """Hours for the full dump; one process reads, decompresses and hands out all of it."""
    extract_speed, hand_out_speed = size / one["extract"], size / two["extract"]
    from_gzip = 1 / (1 / gzip_speed + 1 / hand_out_speed)
    print(
        f"a core extracts {extract_speed:.0f} MB/s; the process that reads hands out "
        f"{hand_out_speed:.0f} MB/s, from .gz {from_gzip:.0f} MB/s"
    )
    for cores in (2, 32):
        for source, reader in ((".gz", from_gzip), ("standard input", hand_out_speed)):
            # The reader takes a part of the cores' time, and can't be faster than one core is.
            shared = cores / (1 / extract_speed + 1 / reader)
            seconds = FULL_MEGABYTES / min(shared, reader) + FULL_SORT
            print(f"full dump, {source}, {cores} cores: {seconds / 3600:.1f} h")


if __name__ == "__main__":
    main()
