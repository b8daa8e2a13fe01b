"""The sample's Wikidata slice, in the line format of the dump and with a few of its irregularities."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mmoe.files import content_key, write_text
from mmoe.sample.catalogue import Catalogue, Item, SampleEntity

LANGUAGE = "en"

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


def write_slice(file: Path, catalogue: Catalogue) -> int:
    """Writes the slice and returns its number of items."""
    kept: list[Item] = [entity for entity in catalogue.entities if entity.in_wikidata]
    items = [_item(item) for item in (*kept, *catalogue.distractors)]
    middle = len(items) // 2
    entries = [*items[:middle], PROPERTY, *items[middle:]]
    lines = [json.dumps(entry, ensure_ascii=False, separators=(",", ":")) for entry in entries]
    write_text(file, "[\n" + ",\n".join(lines) + "\n]\n")
    return len(items)


def _item(item: Item) -> dict[str, Any]:
    is_mul = isinstance(item, SampleEntity) and item.mul_label
    label_language = "mul" if is_mul else LANGUAGE
    aliases = [{"language": LANGUAGE, "value": alias} for alias in item.aliases]
    return {
        "type": "item",
        "id": item.qid,
        "labels": {label_language: {"language": label_language, "value": item.name}},
        "descriptions": {LANGUAGE: {"language": LANGUAGE, "value": item.description}},
        # Older dumps write an empty map as [].
        "aliases": {LANGUAGE: aliases} if aliases else [],
        "claims": _claims(item),
        "sitelinks": {
            site: {"site": site, "title": title, "badges": []}
            for site, title in item.sitelinks.items()
        },
    }


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
