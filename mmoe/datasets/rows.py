"""Rows of JSONL, CSV and TSV files, and whole JSON files; every complaint names file, row and key."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmoe.datasets.problems import Kind, Problems
from mmoe.errors import DataError
from mmoe.files import read_text

LIST_SEPARATOR = "|"
DELIMITERS = {".csv": ",", ".tsv": "\t"}
_SURROGATE = re.compile("[\ud800-\udfff]")

# Bytes that are not UTF-8 are read as lone surrogates; moved to the private use area they can't be taken
# for a second mistake in the same row.
_PRIVATE = {0xDC00 + byte: 0xF700 + byte for byte in range(0x80, 0x100)}


def plain_text(value: Any, where: str) -> str:
    """`value` if it is text that can be written as UTF-8.

    Raises:
        DataError: if it is another type, or holds half a surrogate pair or a NUL; begins with `where`.
    """
    if problem := text_problem(value):
        raise DataError(f"{where}: {problem}")
    text: str = value
    return text


def text_problem(value: Any) -> str | None:
    """Why a value is no text that can be written as UTF-8, and what to do; None if it is one."""
    if not isinstance(value, str):
        remedy = "write a text" if value is None else "write it as one text in quotes"
        return f"must be text, found {shown(value)}; {remedy}"
    if not is_whole(value):
        return "holds half a surrogate pair; write the character whole"
    return "holds a NUL character; remove it" if "\0" in value else None


def is_whole(text: str) -> bool:
    """Whether a text holds no half of a surrogate pair, so that it can be written as UTF-8."""
    return not _SURROGATE.search(text)


def shown(value: Any) -> str:
    """A value as a message shows it: JSON, cut short."""
    return json.dumps(value, ensure_ascii=True, default=str)[:60]


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a file, or one record of a JSON file.

    Attributes:
        number: of the line where it starts, or of the record; from 1.
        name: the record's key, where the file is one JSON object.
    """

    file: Path
    number: int
    values: dict[str, Any]
    name: str | None = None

    @property
    def where(self) -> str:
        place = f"row {self.number}" if self.name is None else f"record {self.name!r}"
        return f"{self.file}, {place}"

    def value(self, key: str) -> Any:
        """A required value of any type."""
        if key not in self.values:
            kind = "row" if self.name is None else "record"
            raise DataError(f"{self.where}: key `{key}` is missing; add it to the {kind}")
        return self.values[key]

    def text(self, key: str) -> str:
        """A required text, which may be empty."""
        return plain_text(self.value(key), f"{self.where}, key `{key}`")

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
        """A list of texts, empty where the key is absent or null."""
        value = self.values.get(key)
        if value is None:
            return ()
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


def _json_rows(file: Path, lines: Iterable[str], problems: Problems) -> Iterator[Row]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        where = f"{file}, row {number}"
        try:
            values = _parsed(
                line.removesuffix("\n"), where, "each line must be one whole JSON object"
            )
            yield Row(file, number, _of_kind(values, dict, where, "a JSON object"))
        except DataError as error:
            problems.add(Kind.BROKEN, str(error))


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
    items: list[Any] = _of_kind(_parsed(read_text(file), f"{file}"), list, file, "one JSON list")
    return items


def read_json_object(file: Path) -> dict[str, Any]:
    """The keys and values of a file that is one JSON object; raises as `read_json_list`."""
    values: dict[str, Any] = _of_kind(
        _parsed(read_text(file), f"{file}"), dict, file, "one JSON object"
    )
    return values


def json_rows(file: Path) -> list[Row]:
    """The objects of a file that is one JSON list, numbered from 1; raises as `read_json_list`."""
    return [
        Row(file, number, _of_kind(item, dict, f"{file}, row {number}", "a JSON object"))
        for number, item in enumerate(read_json_list(file), start=1)
    ]


def json_records(file: Path) -> list[Row]:
    """The objects of a file that is one JSON object, with their keys as names; raises as `read_json_list`."""
    return [
        Row(file, number, _of_kind(item, dict, f"{file}, record {name!r}", "a JSON object"), name)
        for number, (name, item) in enumerate(read_json_object(file).items(), start=1)
    ]


def _of_kind(value: Any, kind: type, where: object, called: str) -> Any:
    if not isinstance(value, kind):
        raise DataError(f"{where}: must be {called}, found {type(value).__name__}")
    return value


def _parsed(text: str, where: str, remedy: str = "fetch or mend the file") -> Any:
    """A JSON value whose objects hold each key once; json.loads alone keeps the last value in silence."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            twice = next(key for key, n in Counter(key for key, _ in pairs).items() if n > 1)
            raise DataError(f"{where}: key `{twice}` stands twice in one object; keep one")
        return found

    try:
        return json.loads(text, object_pairs_hook=unique)
    except json.JSONDecodeError as error:
        line = f"line {error.lineno}, " if "\n" in text else ""
        raise DataError(
            f"{where}: not valid JSON at {line}column {error.colno}: {error.msg}; {remedy}"
        ) from None
    except (ValueError, RecursionError) as error:  # a number or a nesting beyond Python's limits
        raise DataError(f"{where}: not readable JSON: {error}; shorten the value") from None
