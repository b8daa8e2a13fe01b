"""The label index of a dump, from the first line to the last file."""

from __future__ import annotations

import hashlib
import inspect
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from tqdm import tqdm

from mmoe import names
from mmoe.errors import WikidataError
from mmoe.files import content_key, sha256_of, sources_key, write_json
from mmoe.locks import exclusive_lock
from mmoe.wikidata import entity, labels
from mmoe.wikidata.index.chunks import ChunkFolder
from mmoe.wikidata.index.merge import merge_chunks
from mmoe.wikidata.index.on_ray import extract_parts_on_ray
from mmoe.wikidata.index.part import Grain, PartResult, extract_part
from mmoe.wikidata.index.pool import extracting
from mmoe.wikidata.index.request import Request
from mmoe.wikidata.index.stream import Part, parts_of
from mmoe.wikidata.index.tally import Tally

WORK = ".index-"  # work folders begin so; the rest is a hash of the dump, the request and the code
LOCK = ".index.lock"


@dataclass(frozen=True)
class RunOptions:
    """How an index is made; nothing here changes what comes of it.

    Attributes:
        processes: that extract items.
        work: where unfinished work is kept; null for the folder of the index.
        progress: whether a bar is shown; null where stderr is a terminal.
        ray: whether the files of a folder are spread with Ray Data.
    """

    processes: int = 1
    work: Path | None = None
    progress: bool | None = None
    ray: bool = False
    grain: Grain = field(default_factory=Grain)


@dataclass(frozen=True)
class Built:
    """What came of a run.

    Attributes:
        source: what source.json says.
        resumed: lines that an earlier run had extracted.
        is_closed: whether the dump's opening bracket, if it has one, is closed at its end.
    """

    source: dict[str, Any]
    resumed: int
    is_closed: bool


def build_index(dump: str, folder: Path, request: Request, options: RunOptions) -> Built:
    """Writes the label index of a dump of any size; an index that `folder` holds is replaced.

    A run that was killed goes on with the chunks that it had finished, if dump, request and code are the
    same.

    Args:
        dump: a file, a folder of files that are read in the order of their names, or `-`.
    Raises:
        WikidataError: if the dump can't be read or is none, or no item of it is kept.
    """
    parts = parts_of(dump)
    with exclusive_lock(folder, LOCK, partial(_refuse, folder)):
        work = (options.work or folder) / f"{WORK}{_key(parts, folder, request)}"
        results = list(_extract(parts, ChunkFolder(work), request, options))
        tally = Tally.sum(result.tally for result in results)
        tally.check(dump, enough=1)
        if not tally.kept:
            raise WikidataError(f"{dump}: no item is kept ({tally.reasons()}); look at the options")
        (folder / labels.SOURCE).unlink(missing_ok=True)
        merged = merge_chunks(work, folder, options.processes)
        tally.drop_duplicates(merged.duplicates)
        assert tally.kept == merged.items
        numbers = {"items": merged.items, "names": merged.names}
        source = _described(dump, parts) | request.as_json() | tally.counts() | numbers
        write_json(folder / labels.SOURCE, source)
        for finished in {work, *folder.glob(f"{WORK}*")}:
            shutil.rmtree(finished)
    resumed = sum(result.resumed for result in results)
    return Built(source, resumed, is_closed=tally.opening <= tally.closing)


def _extract(
    parts: list[Part], chunks: ChunkFolder, request: Request, options: RunOptions
) -> Iterator[PartResult]:
    """Makes the chunks of all parts: one part after the other, or side by side with Ray Data."""
    if options.ray:
        yield from extract_parts_on_ray(parts, chunks, request, options.grain)
        return
    with (
        extracting(request, options.processes) as in_order,
        _progress_bar(parts, options.progress) as bar,
    ):
        bytes_before = 0
        for part in parts:
            report = partial(_advance, bar, bytes_before)
            yield extract_part(part, chunks, in_order, options.grain, report)
            bytes_before += part.size or 0


def _progress_bar(parts: list[Part], progress: bool | None) -> tqdm[Any]:
    sizes = [part.size for part in parts if part.size is not None]
    total = sum(sizes) if sizes else None  # standard input doesn't say how much will come
    disable = None if progress is None else not progress
    return tqdm(total=total, desc="extracting", unit="B", unit_scale=True, disable=disable)


def _advance(bar: tqdm[Any], bytes_before: int, position: int) -> None:
    bar.update(bytes_before + position - bar.n)


def _described(dump: str, parts: list[Part]) -> dict[str, Any]:
    sizes = [part.size for part in parts if part.size is not None]
    is_folder = Path(dump).is_dir()
    return {
        "file": Path(dump).resolve().name if is_folder else parts[0].name,
        "files": len(parts),
        "bytes": sum(sizes) if sizes else None,
    }


def _key(parts: list[Part], folder: Path, request: Request) -> str:
    """What unfinished work belongs to; that the rest of the dump is the same is seen when it is read."""
    dump = [(part.name, hashlib.sha256(part.head).hexdigest()) for part in parts]
    code = [sha256_of(Path(inspect.getfile(module))) for module in (entity, labels, names)]
    code.append(sources_key(Path(__file__).parent))
    return content_key(dump, folder.resolve(), request.as_json(), code)


def _refuse(folder: Path) -> NoReturn:
    raise WikidataError(
        f"{folder}: another process is writing an index into it; wait for it, or name another folder"
    ) from None
