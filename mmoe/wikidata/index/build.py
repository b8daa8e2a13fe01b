"""The label index of a dump, from the first line to the last file."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tqdm import tqdm

from mmoe import names
from mmoe.errors import WikidataError
from mmoe.files import content_key, sha256_of, sources_key, write_json
from mmoe.wikidata.dump import Part, parts_of
from mmoe.wikidata.index.extract import CLOSING, DUPLICATE, KEPT, OPENING
from mmoe.wikidata.index.merge import merge_chunks
from mmoe.wikidata.index.on_ray import extract_parts_on_ray
from mmoe.wikidata.index.parts import RunOptions, extract_part, extracting, finished_lines
from mmoe.wikidata.label_index import SOURCE
from mmoe.wikidata.selection import Selection
from mmoe.wikidata.work import exclusive_folder

WORK = ".index-"  # work folders begin so; a hash of the dump, the selection and the code follows
LOCK = ".index.lock"


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

    def summary(self) -> str:
        """What came of every line, in words."""
        source = self.source
        earlier = f", {self.resumed:,} of them by an earlier run" if self.resumed else ""
        return "\n".join(
            [
                f"{source['items']:,} items, {source['names']:,} names",
                f"  {source['lines']:,} lines with entities read{earlier}",
                f"  {source['kept']:,} kept",
                *(f"  {number:,} skipped: {why}" for why, number in source["skipped"].items()),
                *(f"    {example}" for example in source["broken_lines"]),
            ]
        )


def build_index(
    dump: str,
    folder: Path,
    selection: Selection,
    options: RunOptions,
    strict: bool = False,
) -> Built:
    """Writes the label index of a dump of any size; an index that `folder` holds is replaced.

    A run that was killed goes on with the chunks that it had finished, if dump, selection and code are the
    same.

    Args:
        dump: a file, a folder of files that are read in the order of their names, or `-`.
        strict: whether a broken line or an item that stands twice is an error, not only counted.
    Raises:
        WikidataError: if the dump can't be read or is none, or no item of it is kept.
    """
    parts = parts_of(dump)
    with exclusive_folder(folder, LOCK):
        work = (options.work or folder) / f"{WORK}{_key(parts, folder, selection)}"
        resumed = finished_lines(work, parts).lines
        _extract(parts, work, selection, options)
        tally = finished_lines(work, parts)
        if strict and tally.broken:
            raise WikidataError(
                f"{Path(dump).parent}/{tally.examples[0]}; each line must be one whole entity, as in the "
                "Wikidata dump"
            )
        tally.check(dump, enough=1)
        if not tally.counts[KEPT]:
            reasons = ", ".join(f"{number:,} {reason}" for reason, number in tally.skipped.items())
            raise WikidataError(f"{dump}: no item is kept ({reasons}); look at the options")
        (folder / SOURCE).unlink(missing_ok=True)
        num_items, num_names, duplicates = merge_chunks(work, folder, options.processes)
        if strict and duplicates:
            raise WikidataError(
                f"{dump}: {duplicates} lines hold an item that stands in another line, too; keep one "
                "line of each item"
            )
        tally.counts.update({KEPT: -duplicates, DUPLICATE: duplicates})
        assert tally.counts[KEPT] == num_items
        source = _described(dump, parts) | vars(selection)
        source |= {"lines": tally.lines, "kept": num_items, "skipped": tally.skipped}
        source |= {"broken_lines": tally.examples, "items": num_items, "names": num_names}
        write_json(folder / SOURCE, source)
        for finished in {work, *folder.glob(f"{WORK}*")}:
            shutil.rmtree(finished)
    return Built(source, resumed, is_closed=tally.counts[OPENING] <= tally.counts[CLOSING])


def build_from_slice(dump: Path, languages: Sequence[str], folder: Path) -> dict[str, Any]:
    """Writes the label index of a data set's own slice, in which no line may be broken.

    Args:
        languages: of labels, aliases and descriptions, best first; `mul` stands in.
    Returns:
        What source.json says.
    Raises:
        WikidataError: if the slice is missing or broken, or holds an item twice or none at all.
    """
    (folder / SOURCE).unlink(missing_ok=True)
    # It is small, and its lines may be mended between two runs: each begins anew.
    with tempfile.TemporaryDirectory() as work:
        options = RunOptions(work=Path(work))
        return build_index(str(dump), folder, Selection(tuple(languages)), options, True).source


def _extract(parts: list[Part], work: Path, selection: Selection, options: RunOptions) -> None:
    """Makes the chunks of all parts: one part after the other, or side by side with Ray Data."""
    if options.ray:
        extract_parts_on_ray(parts, work, selection, options)
        return
    total = _size(parts)  # standard input doesn't say how much will come
    with (
        extracting(selection, options.processes) as in_order,
        tqdm(total=total, desc="extracting", unit="B", unit_scale=True, disable=None) as bar,
    ):
        for part in parts:
            extract_part(part, work, in_order, options, partial(_advance, bar, bar.n))


def _advance(bar: tqdm[Any], before: float, position: int) -> None:
    bar.update(before + position - bar.n)


def _size(parts: list[Part]) -> int | None:
    sizes = [part.size for part in parts if part.size is not None]
    return sum(sizes) if sizes else None


def _described(dump: str, parts: list[Part]) -> dict[str, Any]:
    name = Path(dump).resolve().name if Path(dump).is_dir() else parts[0].name
    return {"file": name, "files": len(parts), "bytes": _size(parts)}


def _key(parts: list[Part], folder: Path, wanted: Selection) -> str:
    """What unfinished work belongs to; that the rest of the dump is the same is seen when it is read."""
    dump = [(part.name, hashlib.sha256(part.head).hexdigest()) for part in parts]
    code = sources_key(Path(__file__).parents[1]), sha256_of(Path(names.__file__))
    return content_key(dump, folder.resolve(), vars(wanted), code)
