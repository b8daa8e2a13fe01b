"""Whole JSON files of the published formats; every complaint names file, row and key."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mmoe.datasets.rows import Row, unique_keys
from mmoe.errors import DataError
from mmoe.files import read_text


def read_json_list(file: Path) -> list[Any]:
    """The items of a file that is one JSON list.

    Raises:
        DataError: if the file is missing, not UTF-8, not JSON, or anything but a list.
    """
    items: list[Any] = _read(file, list, "list")
    return items


def read_json_object(file: Path) -> dict[str, Any]:
    """The keys and values of a file that is one JSON object.

    Raises:
        DataError: if the file is missing, not UTF-8, not JSON, or anything but an object.
    """
    values: dict[str, Any] = _read(file, dict, "object")
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


def _read(file: Path, kind: type, called: str) -> Any:
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
