"""Rows of a JSONL or CSV file as typed values; every complaint names file, row and key."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmoe.errors import DataError
from mmoe.files import read_text

LIST_SEPARATOR = "|"


def plain_text(value: Any, where: str) -> str:
    """`value` if it is text that can be written as UTF-8.

    Raises:
        DataError: if it is another type or holds half a surrogate pair; the message begins with `where`.
    """
    if not isinstance(value, str):
        raise DataError(f"{where}: must be text, found {json.dumps(value, ensure_ascii=True)[:60]}")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise DataError(
            f"{where}: holds half a surrogate pair; write the character whole"
        ) from None
    return value


def unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object whose keys stand once: hand it to `json.loads` as object_pairs_hook.

    Raises:
        KeyError: with the first repeated key; json.loads alone would keep the last value in silence.
    """
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise KeyError(key)
            seen.add(key)
    return found


@dataclass(frozen=True, slots=True)
class Row:
    """One row; `number` is the line of the file where it starts, from 1."""

    file: Path
    number: int
    values: dict[str, Any]

    @property
    def where(self) -> str:
        return f"{self.file}, row {self.number}"

    def text(self, key: str) -> str:
        """A required text, which may be empty."""
        if key not in self.values:
            raise DataError(f"{self.where}: key `{key}` is missing; add it to the row")
        return plain_text(self.values[key], f"{self.where}, key `{key}`")

    def filled(self, key: str) -> str:
        """A required text that holds more than white space."""
        value = self.text(key)
        if not value.strip():
            raise DataError(f"{self.where}, key `{key}`: is empty; fill it in or remove the row")
        return value

    def optional(self, key: str) -> str | None:
        """A text, or null where the key is absent, null or empty."""
        return None if self.values.get(key) is None else self.text(key) or None

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts; in CSV one cell with the texts between bars."""
        value = self.values.get(key)
        if value is None:
            return ()
        if isinstance(value, str) and self.file.suffix == ".csv":
            return tuple(part.strip() for part in value.split(LIST_SEPARATOR) if part.strip())
        if not isinstance(value, list):
            raise DataError(f"{self.where}, key `{key}`: must be a list of texts")
        return tuple(plain_text(part, f"{self.where}, key `{key}`") for part in value)


def read_rows(file: Path) -> list[Row]:
    """All rows of a .jsonl or .csv file (UTF-8, with or without byte order mark), in file order.

    Raises:
        DataError: if the file is missing, not UTF-8, or a row of it can't be read.
    """
    text = read_text(file)
    return list(_csv_rows(file, text) if file.suffix == ".csv" else _json_rows(file, text))


def unknown_keys(rows: Iterable[Row], known: frozenset[str]) -> dict[str, int]:
    """How many rows hold each key that no reader looks at, by key."""
    counts: dict[str, int] = {}
    for row in rows:
        for key in row.values.keys() - known:
            counts[key] = counts.get(key, 0) + 1
    return dict(sorted(counts.items()))


def _json_rows(file: Path, text: str) -> Iterator[Row]:
    # Not splitlines(): JSON strings may hold U+2028 and its kin, which end no line here.
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        where = f"{file}, row {number}"
        try:
            values = json.loads(line, object_pairs_hook=unique_keys)
        except json.JSONDecodeError as error:
            raise DataError(
                f"{where}: not valid JSON at column {error.colno}: {error.msg}; "
                "each line must be one whole JSON object"
            ) from None
        except KeyError as error:
            raise DataError(f"{where}: key `{error.args[0]}` stands twice; keep one") from None
        if not isinstance(values, dict):
            raise DataError(f"{where}: must be a JSON object, found {type(values).__name__}")
        yield Row(file, number, values)


def _csv_rows(file: Path, text: str) -> Iterator[Row]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    start = 1
    header: list[str] = []
    try:
        for cells in reader:
            number, start = start, reader.line_num + 1
            if not cells:
                continue
            if not header:
                header = _checked_header(file, cells)
                continue
            if len(cells) != len(header):
                raise DataError(
                    f"{file}, row {number}: {len(cells)} cells where the header names "
                    f"{len(header)}; quote cells that hold commas or line breaks"
                )
            yield Row(file, number, dict(zip(header, cells, strict=True)))
    except csv.Error as error:
        raise DataError(f"{file}, row {start}: not valid CSV: {error}") from None


def _checked_header(file: Path, cells: list[str]) -> list[str]:
    header = [cell.strip() for cell in cells]
    repeated = sorted({name for name in header if header.count(name) > 1})
    if repeated:
        raise DataError(f"{file}, row 1: column `{repeated[0]}` stands twice; keep one")
    return header
