"""A table of metrics, one row a system, the best value of each column marked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mmoe.reporting.wording import MISSING, interval, label, metric


@dataclass(frozen=True)
class System:
    """A system and its numbers, by the names of metrics.json.

    Attributes:
        kind: ours, untrained, baseline or published; decides how its row looks.
        note: what is said small beside its name.
    """

    name: str
    kind: str
    numbers: Mapping[str, float]
    note: str = ""

    @property
    def mrr_interval(self) -> tuple[float, float] | None:
        """The 95 % interval of MRR, where it is known."""
        if "mrr_low" in self.numbers and "mrr_high" in self.numbers:
            return self.numbers["mrr_low"], self.numbers["mrr_high"]
        return None


@dataclass(frozen=True)
class Cell:
    """A value as text, and whether it is the best of its column."""

    text: str
    is_best: bool = False


@dataclass(frozen=True)
class Row:
    """A system's cells, one for each column of the table."""

    system: System
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Table:
    """Titles of the columns after the system's name, and the rows."""

    titles: tuple[str, ...]
    rows: tuple[Row, ...]

    def without_best(self) -> Table:
        """The same numbers where they must not be compared."""
        rows = [Row(row.system, tuple(Cell(cell.text) for cell in row.cells)) for row in self.rows]
        return Table(self.titles, tuple(rows))


def metrics_table(systems: Sequence[System], columns: Sequence[str]) -> Table:
    """Builds the table; values that print alike share the first place, one that most share is no best.

    Args:
        systems: in display order.
        columns: names of metrics; `mrr_interval` is the column of MRR's 95 % interval. Columns for which
            no system has a value are left out.
    """
    shown = [column for column in columns if any(_text(s, column) != MISSING for s in systems)]
    best = {column: _best(systems, column) for column in shown}
    rows = [
        Row(system, tuple(_cell(system, column, best[column]) for column in shown))
        for system in systems
    ]
    titles = tuple("95 % interval" if c == "mrr_interval" else label(c) for c in shown)
    return Table(titles, tuple(rows))


def _cell(system: System, column: str, best: str | None) -> Cell:
    text = _text(system, column)
    return Cell(text, is_best=text == best)


def _text(system: System, column: str) -> str:
    if column == "mrr_interval":
        ends = system.mrr_interval
        return MISSING if ends is None else interval(*ends)
    return metric(column, system.numbers.get(column))


def _best(systems: Sequence[System], column: str) -> str | None:
    values = [system.numbers[column] for system in systems if column in system.numbers]
    if column == "mrr_interval" or len(values) < 2:
        return None
    best = metric(column, min(values) if column.endswith("rank") else max(values))
    shared = sum(metric(column, value) == best for value in values)
    return best if 2 * shared <= len(values) else None
