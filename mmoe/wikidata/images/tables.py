"""licences.jsonl, whose each image is and under which licence; and images in entities.jsonl."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import orjson

from mmoe.errors import WikidataError
from mmoe.files import atomic_write, read_text, sha256_of

LICENCES, IMAGES = "licences.jsonl", "images"

Row = dict[str, Any]


def read_licences(out: Path) -> dict[str, Row]:
    """The rows of a folder by qid; none if it holds no table yet.

    Raises:
        WikidataError: if the table is not what this command writes.
    """
    file = out / LICENCES
    if not file.is_file():
        return {}
    rows: dict[str, Row] = {}
    for number, line in _lines(file):
        row = _object(line, f"{file}, row {number}")
        if not isinstance(row.get("qid"), str):
            raise WikidataError(f"{file}, row {number}: has no `qid`; move the file away")
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
        for place, line in _lines(entities):
            row = _object(line, f"{entities}, row {place}")
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


def _lines(file: Path) -> Iterable[tuple[int, str]]:
    lines = enumerate(read_text(file).split("\n"), start=1)
    return ((number, line) for number, line in lines if line.strip())


def _object(line: str, where: str) -> Row:
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise WikidataError(f"{where}: not valid JSON: {error}") from None
    if not isinstance(row, dict):
        raise WikidataError(f"{where}: must be a JSON object")
    return row
