"""What a knowledge base is asked for: files of names and of item ids."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from mmoe.errors import WikidataError
from mmoe.files import read_text
from mmoe.names import normalise_name
from mmoe.wikidata.entity import is_qid

NIL = "nil"

Row = dict[str, Any]


def read_names(file: Path) -> frozenset[str]:
    """The names of a file in their normal form.

    Args:
        file: one name a line, or a .jsonl file of mentions (key `surface_form`).
    Raises:
        WikidataError: if it holds no name, or a row of it can't be read.
    """
    texts = [text for _, text in _texts(file, ("surface_form",))]
    names = frozenset(filter(None, map(normalise_name, texts)))
    if not names:
        raise WikidataError(f"{file}: holds no name; write one a line")
    return names


def read_qids(file: Path) -> tuple[str, ...]:
    """The item ids of a file, each once, in order.

    Args:
        file: one id a line, or a .jsonl file of entities (key `qid`) or mentions (key `gold_qid`, which
            may be null or nil).
    Raises:
        WikidataError: if it holds no id, something else, or a row of it can't be read.
    """
    qids: dict[str, None] = {}
    for where, text in read_ids(file):
        if not is_qid(text):
            raise WikidataError(f"{where}: {text!r} is no item's id; write Q and a number")
        qids[text] = None
    if not qids:
        raise WikidataError(f"{file}: holds no item id; write one a line")
    return tuple(qids)


def read_ids(file: Path) -> Iterator[tuple[str, str]]:
    """(where it stands, id) of each row of a file as for `read_qids`, whatever the id is like.

    Raises:
        WikidataError: if a row can't be read.
    """
    return (
        (where, text) for where, text in _texts(file, ("qid", "gold_qid")) if text.lower() != NIL
    )


def _texts(file: Path, keys: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """(where it stands, text) of each line that is not empty."""
    if not file.is_file():
        raise WikidataError(f"{file}: no such file")
    if file.suffix != ".jsonl":
        for number, line in enumerate(read_text(file).split("\n"), start=1):
            if line.strip():
                yield f"{file}, row {number}", line.strip()
        return
    for where, _, row in json_rows(file):
        key = next((key for key in keys if key in row), None)
        if key is None:
            raise WikidataError(f"{where}: has no key {' or '.join(f'`{key}`' for key in keys)}")
        if isinstance(row[key], str) and row[key].strip():
            yield where, row[key].strip()


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
