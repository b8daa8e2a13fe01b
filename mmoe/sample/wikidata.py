"""The sample's Wikidata slice, in the line format of the dump and with a few of its irregularities."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mmoe.files import content_key, write_text
from mmoe.sample.world import Item, World

LANGUAGE = "en"
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

# The dump interleaves properties with items; a reader has to pass them over.
PROPERTY = {
    "type": "property",
    "datatype": "wikibase-item",
    "id": "P31",
    "labels": {LANGUAGE: {"language": LANGUAGE, "value": "instance of"}},
    "descriptions": {},
    "aliases": {},
    "claims": {},
}


def write_slice(file: Path, world: World) -> int:
    """Writes the slice and returns its number of items."""
    items = [
        _item(item, number) for number, item in enumerate((*world.entities, *world.distractors))
    ]
    middle = len(items) // 2
    entries = [*items[:middle], PROPERTY, *items[middle:]]
    lines = [json.dumps(entry, ensure_ascii=False, separators=(",", ":")) for entry in entries]
    write_text(file, "[\n" + ",\n".join(lines) + "\n]\n")
    return len(items)


def _item(item: Item, number: int) -> dict[str, Any]:
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
        "claims": _claims(item),
        "sitelinks": _sitelinks(item),
    }


def _sitelinks(item: Item) -> dict[str, Any]:
    """One for every ten that the item has: their number orders candidates, and the file stays small."""
    sites = [f"{language}wiki" for language in WIKIS[: -(-item.sitelinks // 10)]]
    return {site: {"site": site, "title": item.name, "badges": []} for site in sites}


def _claims(item: Item) -> dict[str, Any]:
    if not item.instance_of:
        return {}
    return {"P31": [_statement(item.qid, "P31", qid) for qid in item.instance_of]}


def _statement(subject: str, prop: str, target: str) -> dict[str, Any]:
    value = {"entity-type": "item", "numeric-id": int(target.removeprefix("Q")), "id": target}
    return {
        "mainsnak": {
            "snaktype": "value",
            "property": prop,
            "datavalue": {"value": value, "type": "wikibase-entityid"},
            "datatype": "wikibase-item",
        },
        "type": "statement",
        "id": f"{subject}${content_key(subject, prop, target)}",
        "rank": "normal",
    }
