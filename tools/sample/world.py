"""The authored world: real Wikidata items that share names, with sentences and a look for each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from mmoe.files import read_text

WORLD = Path(__file__).with_name("world")
NAMES, STRANGERS = "names.txt", "strangers.yaml"

Sentence = tuple[str, str]  # the word as it stands there, and the sentence


@dataclass(frozen=True, kw_only=True)
class Item:
    """A Wikidata item.

    Attributes:
        sitelinks: number of Wikipedias with an article, roughly.
    """

    qid: str
    name: str
    description: str
    aliases: tuple[str, ...]
    instance_of: tuple[str, ...]
    sitelinks: int


@dataclass(frozen=True, kw_only=True)
class WorldEntity(Item):
    """An item of the knowledge base.

    Attributes:
        shared: the ambiguous name that it shares with others; null if it bears none of them.
        kind, colour, background: what is drawn for it, words of tools.sample.drawing.
        text: sentences whose words tell which entity is meant.
        short: sentences that say nothing, with an alias unlike the name.
    """

    shared: str | None
    kind: str
    colour: str
    background: str
    attributes: str
    text: tuple[Sentence, ...]
    short: tuple[Sentence, ...]


@dataclass(frozen=True)
class World:
    """All that was authored.

    Attributes:
        distractors: items that only the Wikidata slice holds.
        strangers: mentions of things that have no item at all.
    """

    entities: tuple[WorldEntity, ...]
    distractors: tuple[Item, ...]
    strangers: tuple[Sentence, ...]


def read_world(folder: Path = WORLD) -> World:
    """Reads the files of the world, in alphabetical order."""
    yaml = YAML(typ="safe", pure=True)
    names = read_text(folder / NAMES).split("\n")[:-1]
    files = [file for file in sorted(folder.glob("*.yaml")) if file.name != STRANGERS]
    entries = [entry for file in files for entry in yaml.load(read_text(file))]
    return World(
        tuple(_entity(entry, names) for entry in entries if not entry.get("distractor")),
        tuple(Item(**_item(entry)) for entry in entries if entry.get("distractor")),
        tuple((word, text) for word, text in yaml.load(read_text(folder / STRANGERS))),
    )


def _item(entry: dict[str, Any]) -> dict[str, Any]:
    plain = {key: entry[key] for key in ("qid", "name", "description", "sitelinks")}
    return plain | {key: tuple(entry[key]) for key in ("aliases", "instance_of")}


def _entity(entry: dict[str, Any], names: list[str]) -> WorldEntity:
    return WorldEntity(
        **_item(entry),
        **{key: entry[key] for key in ("kind", "colour", "background", "attributes")},
        shared=next(_names_in(entry["name"], names), None),
        text=_sentences(entry["text"]),
        short=_sentences(entry["short"]),
    )


def _sentences(pairs: list[list[str]] | None) -> tuple[Sentence, ...]:
    return tuple((word, text) for word, text in pairs or ())


def _names_in(name: str, names: list[str]) -> Iterator[str]:
    """The ambiguous names that stand in a name as whole words, as they are or in the plural."""
    for shared in names:
        if re.search(rf"(?<!\w){re.escape(shared)}s?(?!\w)", name, re.IGNORECASE):
            yield shared
