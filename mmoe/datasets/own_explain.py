"""What the models of our own format object to, in one line with a remedy."""

from __future__ import annotations

from pydantic_core import ErrorDetails

from mmoe.datasets import own_schema
from mmoe.datasets.problems import Kind
from mmoe.datasets.rows import DELIMITERS, Row, shown
from mmoe.records import SPLITS


def explain(detail: ErrorDetails, row: Row) -> tuple[Kind, str]:
    """The kind of one validation error and its line: file, row, key, what is wrong; remedy."""
    key, *place = detail["loc"]
    value, where = detail["input"], f"{row.where}, key `{key}`"
    if place:
        where += f", number {int(place[0]) + 1}"
    match detail["type"]:
        case "missing" if row.file.suffix in DELIMITERS:
            # Every row lacks it: one line for the table says so.
            return Kind.MISSING, f"{row.file}, row 1: column `{key}` is missing; add it"
        case "missing":
            return Kind.MISSING, f"{row.where}: key `{key}` is missing; add it to the row"
        case "string_type":
            remedy = "write a text" if value is None else "write it as one text in quotes"
            return Kind.TYPE, f"{where}: must be text, found {shown(value)}; {remedy}"
        case "list_type":
            return Kind.TYPE, f'{where}: must be a list of texts, found {shown(value)}; write ["…"]'
        case "literal_error":
            splits = ", ".join(SPLITS)
            return Kind.SPLIT, f"{where}: {value!r} is no split; write one of {splits}"
        case "string_pattern_mismatch" if value.strip():
            return Kind.QID, f"{where}: {shown(value)} means no entity; give the entity its id"
        case "string_pattern_mismatch":
            return Kind.EMPTY, f"{where}: is empty; fill it in or remove the row"
        case "string_unicode" | own_schema.HALF_A_CHARACTER:
            return (
                Kind.CHARACTER,
                f"{where}: holds half a surrogate pair; write the character whole",
            )
    raise AssertionError(f"a rule without a line of its own: {detail['type']}")
