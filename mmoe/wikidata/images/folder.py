"""A folder of images: licences.jsonl, images named in entities.jsonl, and the unfinished work of a run.

licences.jsonl says whose each image is and under which licence. In the work folder a file lies whole and
checked or not at all, under a hash of its name on Commons, so that its presence says that it need not be
asked for again; failures are lines of failures.jsonl.
"""

from __future__ import annotations

import os
import posixpath
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

import orjson

from mmoe.errors import WikidataError
from mmoe.files import atomic_write, content_key, sha256_of
from mmoe.wikidata.images.fetch import ENDINGS, Failure, FetchedImage
from mmoe.wikidata.knowledge.lists import Row, json_rows

LICENCES, IMAGES, FAILURES = "licences.jsonl", "images", "failures.jsonl"


def read_licences(out: Path) -> dict[str, Row]:
    """The rows of a folder by qid; none if it holds no table yet.

    Raises:
        WikidataError: if the table is not what this command writes.
    """
    file = out / LICENCES
    if not file.is_file():
        return {}
    rows: dict[str, Row] = {}
    for where, _, row in json_rows(file):
        if not isinstance(row.get("qid"), str):
            raise WikidataError(f"{where}: has no `qid`; move the file away")
        rows[row["qid"]] = row
    return rows


def write_licences(out: Path, rows: Iterable[Row]) -> None:
    """Writes the table, whole or not at all."""
    with atomic_write(out / LICENCES) as temporary, temporary.open("wb") as stream:
        for row in rows:
            stream.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))


def holds(out: Path, row: Row, name: str, width: int) -> bool:
    """Whether a row's image is this one of Commons in this width, and its file is as it was written."""
    if (row.get("file"), row.get("asked_width")) != (name, width):
        return False
    path = out / str(row.get("path"))
    return path.is_file() and sha256_of(path) == row.get("sha256")


def check_place(entities: Path, out: Path) -> None:
    """Makes sure that images below `out` can be named relative to a table of entities.

    Raises:
        WikidataError: if the table is missing or is no .jsonl, or `out` lies elsewhere.
    """
    if entities.suffix != ".jsonl" or not entities.is_file():
        raise WikidataError(f"{entities}: no such file; name the entities.jsonl of a data set")
    if not out.resolve().is_relative_to(entities.parent.resolve()):
        raise WikidataError(
            f"{out}: lies outside of {entities.parent}, from where a data set names its images; "
            "choose a folder in it, or give a plain list of ids"
        )


def put_into(entities: Path, out: Path, paths: Mapping[str, str]) -> int:
    """Adds images to a table of entities; rows without a new one stay as they are, to the byte.

    Images that the row names already come first, those that an earlier run added are replaced.

    Args:
        paths: of the images relative to `out`, by qid.
    Returns:
        Number of rows that have an image of `paths`.
    """
    base = out.resolve().relative_to(entities.parent.resolve()).as_posix()
    number = 0
    with atomic_write(entities) as temporary, temporary.open("wb") as stream:
        for _, line, row in json_rows(entities):
            path = paths.get(str(row.get("qid")).strip())
            if path is None:
                stream.write(f"{line}\n".encode())
                continue
            number += 1
            stem = posixpath.normpath(posixpath.join(base, IMAGES, str(row["qid"]).strip()))
            others = [p for p in row.get("images") or [] if posixpath.splitext(p)[0] != stem]
            row["images"] = [*others, posixpath.normpath(posixpath.join(base, path))]
            stream.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
    return number


class Work:
    """The unfinished work of a folder.

    Attributes:
        failures: name on Commons -> why there is no image, of this run and of the killed one.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._log = folder / FAILURES
        self.failures = dict(self._read())
        endings = set(ENDINGS.values())
        self._files = {file.stem: file for file in folder.iterdir() if file.suffix in endings}

    def arrived(self, name: str) -> Path | None:
        """The file that holds the image; None if it has not arrived."""
        return self._files.get(content_key(name))

    def keep(self, name: str, image: FetchedImage) -> None:
        """Writes an image that has arrived."""
        file = self._folder / f"{content_key(name)}{image.ending}"
        with atomic_write(file) as temporary:
            temporary.write_bytes(image.data)
        self._files[file.stem] = file

    def note(self, failures: Mapping[str, Failure]) -> None:
        """Writes down of which images there is none, and why."""
        with self._log.open("ab") as out:
            for name, failure in failures.items():
                self.failures[name] = failure.reason
                out.write(orjson.dumps([name, failure.reason], option=orjson.OPT_APPEND_NEWLINE))
            out.flush()
            os.fsync(out.fileno())

    def remove(self) -> None:
        """Removes the folder."""
        shutil.rmtree(self._folder)

    def _read(self) -> list[tuple[str, str]]:
        if not self._log.is_file():
            return []
        # A killed run may have left half a line, on which the next line must not be written.
        whole = self._log.read_bytes()
        whole = whole[: whole.rfind(b"\n") + 1]
        self._log.write_bytes(whole)
        return [tuple(orjson.loads(line)) for line in whole.splitlines()]
