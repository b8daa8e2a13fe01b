"""Tables as Markdown that also reads well unrendered."""

from __future__ import annotations

from mmoe.reporting.table import Table

_ESCAPED = {ord(mark): f"\\{mark}" for mark in "\\`*_[]|"} | {ord("<"): "&lt;", ord("&"): "&amp;"}


def cell(text: str) -> str:
    """A text that Markdown prints as it stands, on one line."""
    return " ".join(text.split()).translate(_ESCAPED)


def markdown_table(table: Table, *, numbers: bool = True) -> str:
    """A table with aligned columns; best values and our own system are bold.

    Args:
        numbers: whether the columns after the names stand at the right; notes never do.
    """
    lines = [["", *map(cell, table.titles)]]
    for row in table.rows():
        name = f"**{cell(row.name)}**" if row.kind == "ours" else cell(row.name)
        lines.append([name, *(f"**{text}**" if best else cell(text) for text, best in row.cells)])
    left = {0} if numbers else set(range(len(lines[0])))
    if table.notes:
        left.add(len(lines[0]))
        notes = ["source", *map(cell, table.notes)]
        lines = [[*line, note] for line, note in zip(lines, notes, strict=True)]
    return _aligned(lines, left)


def _aligned(lines: list[list[str]], left: set[int]) -> str:
    """The titles, a rule and the rest; columns that are not in `left` stand at the right."""
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
