"""The authored source of the sample: entities with their sentences, distractors, unlinked mentions."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

from mmoe.files import read_json

CATALOGUE = Path(__file__).with_name("catalogue.json")

Part = TypeVar("Part")


@dataclass(frozen=True, kw_only=True)
class Item:
    """A Wikidata item of the slice.

    Attributes:
        instance_of: qids, its P31 statements.
        sitelinks: page title by wiki; a few of the real ones.
    """

    qid: str
    name: str
    description: str
    aliases: list[str]
    instance_of: list[str]
    sitelinks: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class SampleEntity(Item):
    """An entity of the knowledge base.

    Attributes:
        kind: what is drawn for it, a key of mmoe.sample.scenes.SCENES.
        colour: of the drawing, #rrggbb.
        contexts: (word, sentence) of its mentions.
        in_wikidata: whether the slice holds the item.
        mul_label: whether its label stands under `mul` only.
    """

    kind: str
    colour: str
    attributes: str
    contexts: list[tuple[str, str]]
    in_wikidata: bool = True
    mul_label: bool = False


@dataclass(frozen=True, kw_only=True)
class Unlinked:
    """A mention whose gold entity the knowledge base lacks: nil, or an item of the slice only."""

    word: str
    context: str
    split: str
    gold_qid: str | None = None
    kind: str | None = None
    colour: str | None = None


@dataclass(frozen=True)
class Catalogue:
    """All that the generator knows."""

    entities: list[SampleEntity]
    distractors: list[Item]
    unlinked: list[Unlinked]


def read_catalogue(file: Path = CATALOGUE) -> Catalogue:
    """Reads the authored catalogue."""
    content = read_json(file)
    for entity in content["entities"]:
        entity["contexts"] = [(word, context) for word, context in entity["contexts"]]
    return Catalogue(
        entities=[_part(SampleEntity, value) for value in content["entities"]],
        distractors=[_part(Item, value) for value in content["distractors"]],
        unlinked=[_part(Unlinked, value) for value in content["unlinked"]],
    )


def _part(kind: type[Part], value: dict[str, Any]) -> Part:
    unknown = value.keys() - {field.name for field in fields(kind)}  # type: ignore[arg-type]
    assert not unknown, f"{CATALOGUE}: unknown keys {sorted(unknown)} in {value}"
    return kind(**value)
