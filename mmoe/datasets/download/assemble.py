"""A benchmark's folder as the reader wants it, out of what was published.

All work is done in the hidden folder `.download` inside it: the reader sees a file only when it is whole.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from mmoe.datasets.download import receipt
from mmoe.datasets.download.archive import extract_json
from mmoe.datasets.download.disk import disk_trouble
from mmoe.datasets.download.fetch import PATIENCE, Patience, fault, fetch
from mmoe.datasets.download.sources import Benchmark, HeldOut, Source
from mmoe.datasets.download.splits import record_ids, split_by_hash
from mmoe.datasets.melbench import SPLIT_IDS
from mmoe.errors import DataError
from mmoe.files import sha256_of, write_json
from mmoe.locks import exclusive_lock

WORK, LOCK = ".download", ".download.lock"


def assemble(
    benchmark: Benchmark,
    folder: Path,
    base: str,
    *,
    long: bool = False,
    keep: bool = False,
    patience: Patience = PATIENCE,
) -> bool:
    """Fetches a benchmark into `folder`; does nothing if all of it is there and right.

    Args:
        base: the server's address, in the place of raw.githubusercontent.com.
        long: take the long attributes instead of the short ones.
        keep: leave the fetched archives and lists in `.download`.
    Returns:
        whether anything had to be done.
    Raises:
        DataError: if a file can't be fetched or verified, or a file of another content is in the way.
    """
    if long and benchmark.long_attributes is None:
        raise DataError(f"{folder}: this data set has no long attributes; leave out --long")
    files = benchmark.files(long=long)
    with disk_trouble(folder), exclusive_lock(folder, LOCK, partial(_say_busy, folder)):
        lacking = [name for name in files if not _is_there(folder, name, files[name])]
        made = {
            name: _make(benchmark, name, files[name], folder / WORK, base, patience)
            for name in lacking
        }
        _refuse_strangers(folder, made, benchmark)
        for name, file in made.items():
            file.replace(folder / name)
        if made:
            receipt.write(folder, files)
        if not keep and (folder / WORK).is_dir():
            shutil.rmtree(folder / WORK)
    return bool(made)


def _is_there(folder: Path, name: str, sources: Sequence[Source]) -> bool:
    if receipt.holds(folder, name, sources):
        return True
    # A file that was taken over as it was published proves itself.
    return len(sources) == 1 and fault(folder / name, sources[0]) is None


def _make(
    benchmark: Benchmark,
    name: str,
    sources: Sequence[Source],
    work: Path,
    base: str,
    patience: Patience,
) -> Path:
    """Fetches the sources of one file and makes it of them, in the work folder."""
    fetched = [work / source.name for source in sources]
    for source, target in zip(sources, fetched, strict=True):
        fetch(source, target, base, patience)
    if name == benchmark.records_file:
        extract_json(fetched[0], work / name)
        return work / name
    if name == SPLIT_IDS and isinstance(benchmark.splits, HeldOut):
        train, test = (record_ids(file) for file in fetched)
        write_json(work / name, split_by_hash(train, test, benchmark.splits.num_valid))
        return work / name
    return fetched[0]


def _refuse_strangers(folder: Path, made: dict[str, Path], benchmark: Benchmark) -> None:
    """Refuses to write over what neither the publishers nor this command wrote."""
    published = [benchmark.attributes, benchmark.long_attributes]
    known = receipt.written_hashes(folder) | {s.sha256 for s in published if s is not None}
    for name, file in made.items():
        target = folder / name
        if target.exists() and sha256_of(target) not in known | {sha256_of(file)}:
            raise DataError(
                f"{target}: is another file than the published one; move it away, or choose "
                "another folder with --to"
            )


def _say_busy(folder: Path) -> None:
    print(f"{folder}: waits for another download into this folder", file=sys.stderr)
