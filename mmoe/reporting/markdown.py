"""Tables as Markdown that also reads well unrendered."""

from __future__ import annotations

from mmoe.reporting.audit import Grid
from mmoe.reporting.table import Cell, Row, Table

_ESCAPED = {ord(mark): f"\\{mark}" for mark in "\\`*_[]|"} | {ord("<"): "&lt;", ord("&"): "&amp;"}


def cell(text: str) -> str:
    """A text that Markdown prints as it stands, on one line."""
    return " ".join(text.split()).translate(_ESCAPED)


def markdown_table(table: Table, *, notes: bool = False) -> str:
    """A table with aligned columns; best values are bold.

    Args:
        table: names of systems at the left, numbers at the right of their columns.
        notes: whether a last column says what is noted of each system.
    """
    titles = ["", *table.titles, *(["source"] if notes else [])]
    lines = [[cell(title) for title in titles]]
    lines += [
        [_name(row), *map(_value, row.cells), *([cell(row.system.note)] if notes else [])]
        for row in table.rows
    ]
    return _aligned(lines, {0, len(titles) - 1 if notes else 0})


def markdown_grid(grid: Grid) -> str:
    """A table of texts with aligned columns, the first one at the left."""
    return _aligned([list(map(cell, line)) for line in (grid.titles, *grid.rows)], {0})


def _aligned(lines: list[list[str]], left: set[int]) -> str:
    """The titles, a rule and the rest; numbers stand at the right of their columns.

    Args:
        left: columns whose texts stand at the left.
    """
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    rule = ["-" * w if i in left else "-" * (w - 1) + ":" for i, w in enumerate(widths)]
    padded = [
        [
            text.ljust(width) if i in left else text.rjust(width)
            for i, (text, width) in enumerate(zip(line, widths, strict=True))
        ]
        for line in (lines[0], rule, *lines[1:])
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in padded) + "\n"


def _name(row: Row) -> str:
    name = cell(row.system.name)
    return f"**{name}**" if row.system.kind == "ours" else name


def _value(value: Cell) -> str:
    return f"**{value.text}**" if value.is_best else value.text
