"""Rows of JSONL, CSV and TSV files, and whole JSON files; every complaint names file, row and key."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmoe.datasets.problems import Kind, Problems
from mmoe.errors import DataError
from mmoe.files import read_text

LIST_SEPARATOR = "|"
DELIMITERS = {".csv": ",", ".tsv": "\t"}

# Bytes that are not UTF-8 are read as lone surrogates; moved to the private use area they can't be taken
# for a second mistake in the same row.
_PRIVATE = {0xDC00 + byte: 0xF700 + byte for byte in range(0x80, 0x100)}


def plain_text(value: Any, where: str) -> str:
    """`value` if it is text that can be written as UTF-8.

    Raises:
        DataError: if it is another type, or holds half a surrogate pair or a NUL; begins with `where`.
    """
    if not isinstance(value, str):
        raise DataError(f"{where}: must be text, found {shown(value)}")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise DataError(
            f"{where}: holds half a surrogate pair; write the character whole"
        ) from None
    if "\0" in value:
        raise DataError(f"{where}: holds a NUL character; remove it")
    return value


def shown(value: Any) -> str:
    """A value as a message shows it: JSON, cut short."""
    return json.dumps(value, ensure_ascii=True, default=str)[:60]


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
        """A text, or None where the key is absent, null or empty."""
        return None if self.values.get(key) is None else self.text(key) or None

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts; in CSV one cell with the texts between bars."""
        value = self.values.get(key)
        if value is None:
            return ()
        if isinstance(value, str) and self.file.suffix in DELIMITERS:
            return tuple(split_cell(value))
        if not isinstance(value, list):
            raise DataError(f"{self.where}, key `{key}`: must be a list of texts")
        return tuple(plain_text(part, f"{self.where}, key `{key}`") for part in value)


def split_cell(cell: str) -> list[str]:
    """The texts that one CSV cell holds between bars."""
    return [part.strip() for part in cell.split(LIST_SEPARATOR) if part.strip()]


def read_rows(file: Path) -> list[Row]:
    """All rows of a .jsonl, .csv or .tsv file (UTF-8, with or without byte order mark), in file order.

    Raises:
        DataError: if the file is missing, not UTF-8, or a row of it can't be read.
    """
    problems = Problems()
    rows = list(rows_of(file, problems))
    problems.raise_any("mend these first")
    return rows


def rows_of(file: Path, problems: Problems) -> Iterator[Row]:
    """The rows that can be read, one at a time; what is wrong with the others goes to `problems`.

    Raises:
        DataError: if the file is missing.
    """
    is_utf8 = True
    try:
        read_text(file)
    except DataError as error:
        if not file.is_file():
            raise
        is_utf8 = False
        problems.add(Kind.ENCODING, str(error))
    is_csv = file.suffix in DELIMITERS
    with file.open(
        encoding="utf-8-sig",
        errors="strict" if is_utf8 else "surrogateescape",
        # JSON strings may hold U+2028 and its kin, CSV cells line breaks: both end no row.
        newline="" if is_csv else "\n",
    ) as stream:
        lines = stream if is_utf8 else (line.translate(_PRIVATE) for line in stream)
        yield from (_csv_rows if is_csv else _json_rows)(file, lines, problems)


def unknown_keys(rows: Iterable[Row], known: frozenset[str]) -> dict[str, int]:
    """How many rows hold each key that no reader looks at, by key."""
    counts: dict[str, int] = {}
    for row in rows:
        for key in row.values.keys() - known:
            counts[key] = counts.get(key, 0) + 1
    return dict(sorted(counts.items()))


def _json_rows(file: Path, lines: Iterable[str], problems: Problems) -> Iterator[Row]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            yield Row(file, number, _json_object(line.removesuffix("\n")))
        except DataError as error:
            problems.add(Kind.BROKEN, f"{file}, row {number}: {error}")


def _json_object(line: str) -> dict[str, Any]:
    try:
        values = json.loads(line, object_pairs_hook=unique_keys)
    except json.JSONDecodeError as error:
        raise DataError(
            f"not valid JSON at column {error.colno}: {error.msg}; "
            "each line must be one whole JSON object"
        ) from None
    except (ValueError, RecursionError) as error:  # a number or a nesting beyond Python's limits
        raise DataError(f"not readable JSON: {error}; shorten the value") from None
    except KeyError as error:
        raise DataError(f"key `{error.args[0]}` stands twice; keep one") from None
    if not isinstance(values, dict):
        raise DataError(
            f"must be a JSON object, found {type(values).__name__}; write one object a line"
        )
    return values


def _csv_rows(file: Path, lines: Iterable[str], problems: Problems) -> Iterator[Row]:
    reader = csv.reader(lines, strict=True, delimiter=DELIMITERS[file.suffix])
    start, header = 1, list[str]()
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            problems.add(
                Kind.BROKEN,
                f"{file}, row {start}: not valid CSV: {error}; mend the quotes of the row",
            )
            cells = []
        if cells is None:
            return
        number, start = start, reader.line_num + 1
        if not cells:
            continue
        if not header:
            header = [cell.strip() for cell in cells]
            if not _is_header(file, number, header, problems):
                return
        elif len(cells) == len(header):
            yield Row(file, number, dict(zip(header, cells, strict=True)))
        else:
            problems.add(
                Kind.BROKEN,
                f"{file}, row {number}: {len(cells)} cells where the header names {len(header)}; "
                "quote cells that hold commas or line breaks",
            )


def _is_header(file: Path, number: int, header: list[str], problems: Problems) -> bool:
    where, before = f"{file}, row {number}", len(problems)
    for name in sorted({name for name in header if header.count(name) > 1}):
        problems.add(Kind.BROKEN, f"{where}: column `{name}` stands twice; keep one")
    others = [sign for sign in (";", "\t", ",") if sign != DELIMITERS[file.suffix]]
    if len(header) == 1 and (used := next((sign for sign in others if sign in header[0]), None)):
        called = {";": "semicolons", "\t": "tabs", ",": "commas"}
        problems.add(
            Kind.BROKEN,
            f"{where}: one column, `{header[0]}`; the cells seem to be separated by {called[used]}: "
            f"save the file with {called[DELIMITERS[file.suffix]]}",
        )
    return len(problems) == before


def read_json_list(file: Path) -> list[Any]:
    """The items of a file that is one JSON list.

    Raises:
        DataError: if the file is missing, not UTF-8, not JSON, or anything but a list.
    """
    items: list[Any] = _read_json(file, list, "list")
    return items


def read_json_object(file: Path) -> dict[str, Any]:
    """The keys and values of a file that is one JSON object.

    Raises:
        DataError: if the file is missing, not UTF-8, not JSON, or anything but an object.
    """
    values: dict[str, Any] = _read_json(file, dict, "object")
    return values


def json_rows(file: Path) -> list[Row]:
    """The objects of a file that is one JSON list, numbered from 1.

    Raises:
        DataError: as `read_json_list`, and if an item is no object.
    """
    items = read_json_list(file)
    for number, item in enumerate(items, start=1):
        if not isinstance(item, dict):
            raise DataError(
                f"{file}, row {number}: must be a JSON object, found {type(item).__name__}"
            )
    return [Row(file, number, item) for number, item in enumerate(items, start=1)]


def _read_json(file: Path, kind: type, called: str) -> Any:
    try:
        value = json.loads(read_text(file), object_pairs_hook=unique_keys)
    except json.JSONDecodeError as error:
        raise DataError(
            f"{file}: not valid JSON at line {error.lineno}, column {error.colno}: {error.msg}; "
            "fetch or mend the file"
        ) from None
    except (ValueError, RecursionError) as error:  # a number or a nesting beyond Python's limits
        raise DataError(f"{file}: not readable JSON: {error}; mend the file") from None
    except KeyError as error:
        raise DataError(
            f"{file}: key {error.args[0]!r} stands twice in one object; keep one"
        ) from None
    if not isinstance(value, kind):
        raise DataError(f"{file}: must be one JSON {called}, found {type(value).__name__}")
    return value
