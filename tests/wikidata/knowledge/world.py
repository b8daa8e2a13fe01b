"""Entities as the dump has them, and a small dump: two painters, two towns, pages of the wikis, one town too.

Most of what they refer to is in it.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

WIKIS = ("enwiki", "dewiki", "frwiki", "eswiki", "itwiki")


def item_value(name: str) -> dict[str, Any]:
    """A reference to an item or a property."""
    return {"entity-type": "item" if name.startswith("Q") else "property", "id": name}


def time_value(time: str, precision: int) -> dict[str, Any]:
    return {"time": time, "precision": precision, "timezone": 0, "before": 0, "after": 0}


def amount_value(amount: str, unit: str | None = None) -> dict[str, Any]:
    return {
        "amount": amount,
        "unit": "1" if unit is None else f"http://www.wikidata.org/entity/{unit}",
    }


def statement(value: Any, rank: str = "normal") -> dict[str, Any]:
    return {"rank": rank, "mainsnak": {"snaktype": "value", "datavalue": {"value": value}}}


def typed(value: Any, datatype: str, rank: str = "normal") -> dict[str, Any]:
    """A statement that tells the data type of its property, as the dump's own do."""
    content = statement(value, rank)
    return content | {"mainsnak": content["mainsnak"] | {"datatype": datatype}}


def unknown(rank: str = "normal") -> dict[str, Any]:
    return {"rank": rank, "mainsnak": {"snaktype": "somevalue"}}


def entity(
    name: str,
    label: str | None,
    *,
    aliases: tuple[str, ...] = (),
    description: str | None = None,
    language: str = "en",
    articles: int = 0,
    claims: dict[str, list[Any]] | None = None,
) -> dict[str, Any]:
    """An item or a property; a value of `claims` is a statement, or what stands in a normal one."""

    def term(value: str) -> dict[str, str]:
        return {"language": language, "value": value}

    return {
        "type": "item" if name.startswith("Q") else "property",
        "id": name,
        "labels": [] if label is None else {language: term(label)},
        "descriptions": {} if description is None else {language: term(description)},
        "aliases": {language: [term(alias) for alias in aliases]} if aliases else [],
        "claims": {
            prop: [value if is_statement(value) else statement(value) for value in values]
            for prop, values in (claims or {}).items()
        },
        "sitelinks": {site: {"site": site, "title": "x"} for site in WIKIS[:articles]},
    }


def is_statement(value: Any) -> bool:
    return isinstance(value, dict) and "mainsnak" in value


def line(*args: Any, **more: Any) -> str:
    """An entity as the dump writes it, without its comma."""
    return json.dumps(entity(*args, **more), separators=(",", ":"))


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


def classes(of: str, *above: Any) -> str:
    """A class, and what it states to be a subclass of."""
    values = [item_value(each) if isinstance(each, str) else each for each in above]
    return line(of, f"class {of}", claims={"P279": values})


def of_class(qid: str, kind: str) -> str:
    return line(qid, f"Bet {qid}", claims={"P31": [item_value(kind)]})


# Q515, a city, has a big city below it (Q21), and that a metropolis (Q22), which is said to be a city of
# cities: a circle. Q24 is deprecated as a city, Q25 one of which something is unknown.
CLASSES = (
    classes("Q21", "Q515"),
    of_class("Q900011", "Q22"),
    classes("Q22", "Q21"),
    classes("Q515", "Q22", "Q23"),
    of_class("Q900012", "Q23"),
    classes("Q24", statement(item_value("Q515"), "deprecated"), "Q23"),
    of_class("Q900013", "Q24"),
    classes("Q25", unknown("preferred"), "Q515"),
    of_class("Q900014", "Q25"),
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


def rows(file: Path) -> list[dict[str, Any]]:
    """The rows of a .jsonl file."""
    return [json.loads(text) for text in file.read_text("utf-8").splitlines()]


def qids(folder: Path) -> list[str]:
    """Of a knowledge base, in its order."""
    return [row["qid"] for row in rows(folder / "entities.jsonl")]
