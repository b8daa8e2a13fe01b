"""Entities with statements, as lines of the dump."""

from __future__ import annotations

import json
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
