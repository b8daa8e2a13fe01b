"""The sample's Wikidata slice, in the line format of the dump and with a few of its irregularities."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmoe.files import content_key, write_text
from tools.sample.facts import facts_of, label_of, own_properties
from tools.sample.world import Item, World, WorldEntity

LANGUAGE = "en"
INSTANCE_OF = "P31"
MUL_EVERY = 40
WIKIS = (
    "en",
    "de",
    "fr",
    "es",
    "it",
    "ru",
    "ja",
    "zh",
    "pt",
    "pl",
    "nl",
    "sv",
    "ar",
    "uk",
    "cs",
    "fi",
    "hu",
    "ko",
    "no",
    "tr",
    "da",
    "ro",
    "fa",
    "he",
    "ca",
    "vi",
    "id",
    "el",
    "sr",
    "bg",
)


def write_slice(file: Path, world: World) -> dict[str, int]:
    """Writes the slice; facts are statements under properties of our own, whose lines stand in it too.

    Returns:
        The numbers of items and of own properties, as the data card names them.
    """
    own = own_properties(entity.attributes for entity in world.entities)
    items = [
        _item(item, number, own)
        for number, item in enumerate((*world.entities, *world.distractors))
    ]
    properties = [_property(INSTANCE_OF, "instance of", "wikibase-item")]
    properties += [_property(prop, label_of(key), "string") for key, prop in own.items()]
    lines = [
        json.dumps(entry, ensure_ascii=False, separators=(",", ":"))
        for entry in _interleaved(items, properties)
    ]
    write_text(file, "[\n" + ",\n".join(lines) + "\n]\n")
    return {"wikidata_items": len(items), "own_properties": len(own)}


def _interleaved(*lists: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The lists' entries evenly mixed: a property of the dump may stand behind items that state it."""
    placed = [
        ((position + 0.5) / len(entries), entry)
        for entries in lists
        for position, entry in enumerate(entries)
    ]
    return [entry for _, entry in sorted(placed, key=lambda pair: pair[0])]


def _property(name: str, label: str, datatype: str) -> dict[str, Any]:
    return {
        "type": "property",
        "datatype": datatype,
        "id": name,
        "labels": {LANGUAGE: {"language": LANGUAGE, "value": label}},
        "descriptions": {},
        "aliases": {},
        "claims": {},
    }


def _item(item: Item, number: int, own: Mapping[str, str]) -> dict[str, Any]:
    # Some labels of the dump stand under `mul` only.
    label_language = "mul" if number % MUL_EVERY == 0 else LANGUAGE
    aliases = [{"language": LANGUAGE, "value": alias} for alias in item.aliases]
    return {
        "type": "item",
        "id": item.qid,
        "labels": {label_language: {"language": label_language, "value": item.name}},
        "descriptions": {LANGUAGE: {"language": LANGUAGE, "value": item.description}},
        # Older dumps write an empty map as [].
        "aliases": {LANGUAGE: aliases} if aliases else [],
        "claims": _claims(item, own),
        "sitelinks": _sitelinks(item),
    }


def _sitelinks(item: Item) -> dict[str, Any]:
    """One for every ten that the item has: their number orders candidates, and the file stays small."""
    sites = [f"{language}wiki" for language in WIKIS[: -(-item.sitelinks // 10)]]
    return {site: {"site": site, "title": item.name, "badges": []} for site in sites}


def _claims(item: Item, own: Mapping[str, str]) -> dict[str, Any]:
    claims = {}
    if item.instance_of:
        claims[INSTANCE_OF] = [_kind(item.qid, qid) for qid in item.instance_of]
    if isinstance(item, WorldEntity):
        for key, value in facts_of(item.attributes):
            claims[own[key]] = [_fact(item.qid, own[key], value)]
    return claims


def _kind(subject: str, kind: str) -> dict[str, Any]:
    value = {"entity-type": "item", "numeric-id": int(kind.removeprefix("Q")), "id": kind}
    snak = {
        "snaktype": "value",
        "property": INSTANCE_OF,
        "datavalue": {"value": value, "type": "wikibase-entityid"},
        "datatype": "wikibase-item",
    }
    return _statement(snak, subject, INSTANCE_OF, kind)


def _fact(subject: str, prop: str, value: str) -> dict[str, Any]:
    snak = {
        "snaktype": "value",
        "property": prop,
        "datavalue": {"value": value, "type": "string"},
        "datatype": "string",
    }
    return _statement(snak, subject, prop, value)


def _statement(snak: dict[str, Any], subject: str, prop: str, value: str) -> dict[str, Any]:
    return {
        "mainsnak": snak,
        "type": "statement",
        "id": f"{subject}${content_key(subject, prop, value)}",
        "rank": "normal",
    }
