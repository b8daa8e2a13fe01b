"""A small dump: two painters, two towns, pages of the wikis, one town too, and most of what they refer to."""

from __future__ import annotations

import gzip
from pathlib import Path

from tests.wikidata.knowledge.statements import (
    amount_value,
    item_value,
    line,
    statement,
    time_value,
)

# Testfield's country has no line of its own.
LINES = (
    line(
        "Q900001",
        "Ada Testwell",
        aliases=("A. Testwell",),
        description="fictional painter",
        articles=2,
        claims={
            "P31": [item_value("Q5")],
            "P18": ["Ada Testwell 1901.jpg"],
            "P106": [item_value("Q11"), item_value("Q12")],
            "P569": [time_value("+1901-00-00T00:00:00Z", 9)],
            "P570": [time_value("+1977-02-30T00:00:00Z", 11)],
            "P2048": [amount_value("+1.7", "Q13")],
        },
    ),
    line("P106", "occupation"),
    line("Q12", "writer"),
    line(
        "Q900002",
        "Testfield",
        description="town",
        articles=5,
        claims={"P31": [item_value("Q515")], "P17": [item_value("Q77")]},
    ),
    line("Q5", "human"),
    line("P31", "instance of"),
    line(
        "Q900003",
        "Ada Testwell",
        description="Wikimedia page",
        claims={"P31": [item_value("Q4167410")]},
    ),
    line(
        "Q900004",
        "Testfeld",
        language="mul",
        aliases=("Testfield",),
        articles=1,
        claims={"P31": [item_value("Q515"), statement(item_value("Q5"), "deprecated")]},
    ),
    line("Q900005", None, claims={"P31": [item_value("Q5")]}),
    line("P569", "date of birth"),
    line("P570", "date of death"),
    line("P2048", "height"),
    line("Q13", "metre"),
    line(
        "Q900008",
        "Testfield",
        description="town, or page",
        articles=9,
        claims={"P31": [item_value("Q515"), item_value("Q4167410")]},
    ),
    line("Q11", "painter"),
    line("Q515", "city"),
)


def write_dump(path: Path, *more: str) -> Path:
    """Writes the lines as the dump does; `more` stand before the last one."""
    lines = [*LINES[:-1], *more, LINES[-1]]
    content = ("[\n" + ",\n".join(lines) + "\n]\n").encode()
    if path.suffix == ".gz":
        middle = len(content) // 2
        content = gzip.compress(content[:middle]) + gzip.compress(content[middle:])
    path.write_bytes(content)
    return path
