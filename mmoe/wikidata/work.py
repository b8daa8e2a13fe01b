"""Folders that one run at a time writes to, and the tables of JSON lines in them."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

from mmoe.errors import WikidataError, one_line
from mmoe.files import atomic_write, read_text
from mmoe.locks import exclusive_lock

Row = dict[str, Any]


@contextmanager
def exclusive_folder(folder: Path, lock: str, wait: bool = False) -> Iterator[None]:
    """Keeps other runs out of a folder, which is made.

    Args:
        lock: name of the lock file in it.
        wait: until another run has ended; otherwise it is an error.
    Raises:
        BusyError: if another run works there.
        WikidataError: if the folder can't be read or written.
    """

    def busy() -> None:
        print(f"{folder}: waits for another run with this folder", file=sys.stderr)

    try:
        with exclusive_lock(folder, lock, busy if wait else None):
            yield
    except OSError as error:
        where, what = error.filename or folder, error.strerror or one_line(error)
        raise WikidataError(
            f"{where}: can't be read or written ({what}); mend that or make room, and run the command "
            "again: it goes on from what is done"
        ) from None


def write_json_rows(file: Path, rows: Iterable[Any]) -> None:
    """Writes a .jsonl file, whole or not at all."""
    with atomic_write(file) as temporary, temporary.open("wb") as out:
        for row in rows:
            out.write(orjson.dumps(row, default=list, option=orjson.OPT_APPEND_NEWLINE))


def json_rows(file: Path) -> Iterator[tuple[str, str, Row]]:
    """(where it stands, its text, its fields) of each row of a .jsonl file.

    Raises:
        WikidataError: if a row is no JSON object.
    """
    for number, line in enumerate(read_text(file).split("\n"), start=1):
        if not line.strip():
            continue
        where = f"{file}, row {number}"
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise WikidataError(f"{where}: not valid JSON: {error}") from None
        if not isinstance(row, dict):
            raise WikidataError(f"{where}: must be a JSON object")
        yield where, line, row
