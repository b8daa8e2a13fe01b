"""Tables as HTML and Markdown print them: texts, which of them are best, what a row is; and as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mmoe.reporting.wording import MISSING, interval, label, metric

INTERVAL = "mrr_interval"
INTERVAL_TITLE = "MRR, 95 %"
_ESCAPED = {ord(mark): f"\\{mark}" for mark in "\\`*_[]|"} | {ord("<"): "&lt;", ord("&"): "&amp;"}


@dataclass(frozen=True)
class System:
    """A row of a table of metrics, its numbers under the names of `SystemMetrics.flat`.

    Attributes:
        kind: ours, untrained, reranked, baseline or published; decides how its row looks.
        note: what is said in a last column.
    """

    name: str
    kind: str
    numbers: Mapping[str, float]
    note: str = ""


class Row(NamedTuple):
    """A row as templates print it."""

    name: str
    kind: str
    cells: tuple[tuple[str, bool], ...]
    note: str


@dataclass(frozen=True)
class Table:
    """A table of texts.

    Attributes:
        texts: strings; the index holds the names of the rows.
        best: bool, of the same shape; None where nothing is compared.
        kinds, notes: one a row, or none.
    """

    texts: pd.DataFrame
    best: NDArray[np.bool_] | None = None
    kinds: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def titles(self) -> list[str]:
        """Of the columns after the rows' names."""
        return [str(title) for title in self.texts.columns]

    def rows(self) -> Iterator[Row]:
        """Top to bottom."""
        best = np.zeros(self.texts.shape, bool) if self.best is None else self.best
        for i, (name, *texts) in enumerate(self.texts.itertuples(name=None)):
            cells = tuple(zip(map(str, texts), best[i].tolist(), strict=True))
            kind, note = (of[i] if of else "" for of in (self.kinds, self.notes))
            yield Row(str(name), kind, cells, note)


def metrics_table(
    systems: Sequence[System], columns: Sequence[str], *, compared: bool = True
) -> Table:
    """One row a system, percentages with two decimals, the best value of each column marked.

    Values that print alike share the first place; one that most systems share is no best.

    Args:
        systems: in display order.
        columns: names of metrics; `mrr_interval` is MRR's 95 % interval. Columns for which no system has
            a value are left out.
        compared: whether the rows are systems on one task, so that a best value means something.
    """
    texts = pd.DataFrame(
        [[_text(system.numbers, column) for column in columns] for system in systems],
        index=[system.name for system in systems],
        columns=list(columns),
    )
    texts = texts.loc[:, (texts != MISSING).any()]
    best = np.column_stack(
        [_best(systems, column, texts[column].to_numpy()) for column in texts.columns]
    )
    notes = tuple(system.note for system in systems)
    return Table(
        texts.rename(columns=lambda name: INTERVAL_TITLE if name == INTERVAL else label(name)),
        best if compared else None,
        tuple(system.kind for system in systems),
        notes if any(notes) else (),
    )


def _text(numbers: Mapping[str, float], column: str) -> str:
    if column != INTERVAL:
        return metric(column, numbers.get(column))
    return interval(numbers["mrr_low"], numbers["mrr_high"]) if "mrr_low" in numbers else MISSING


def _best(systems: Sequence[System], column: str, texts: NDArray[np.object_]) -> NDArray[np.bool_]:
    values = [system.numbers[column] for system in systems if column in system.numbers]
    if column == INTERVAL or len(values) < 2:
        return np.zeros(len(texts), bool)
    best = texts == metric(column, min(values) if column.endswith("rank") else max(values))
    return best if 2 * best.sum() <= len(values) else np.zeros(len(texts), bool)


def cell(text: str) -> str:
    """A text that Markdown prints as it stands, on one line."""
    return " ".join(text.split()).translate(_ESCAPED)


def markdown_table(table: Table, *, numbers: bool = True) -> str:
    """A table with aligned columns, numbers at the right; best values and our own system are bold."""
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
    columns = []
    for i, texts in enumerate(zip(*lines, strict=True)):
        width = max(map(len, texts))
        rule, pad = ("-" * width, str.ljust) if i in left else ("-" * (width - 1) + ":", str.rjust)
        columns.append([pad(text, width) for text in (texts[0], rule, *texts[1:])])
    return "".join(f"| {' | '.join(line)} |\n" for line in zip(*columns, strict=True))
