"""A chosen item as far as its own lines of the dump tell it: the labels of what it refers to are missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from mmoe.wikidata.entity import Item, best_values
from mmoe.wikidata.knowledge.request import KbRequest
from mmoe.wikidata.knowledge.values import UnwrittenError, Value, read_value


@dataclass(frozen=True, slots=True)
class Draft:
    """One future entity.

    Attributes:
        image: its file name on Commons.
        sitelinks: number of its Wikipedia articles.
        facts: property -> the first few of its best-ranked values, in the order in which the properties
            were asked for.
    """

    qid: str
    name: str
    description: str | None
    image: str | None
    sitelinks: int | None
    facts: dict[str, tuple[Value, ...]]

    def refers_to(self) -> Iterator[str]:
        """The properties and entities whose labels its attributes need."""
        for prop, values in self.facts.items():
            yield prop
            yield from (value.entity for value in values if value.entity is not None)


def draft_of(
    entity: dict[str, Any], item: Item, request: KbRequest, unwritten: Counter[str]
) -> Draft:
    """The draft of an item that has a label.

    Args:
        unwritten: values that have no text, or none in the languages, are counted here, by reason.
    Raises:
        WikidataError: if the statements are not of the documented form.
    """
    assert item.label is not None
    where = f"item {item.qid}"
    facts = {}
    for prop in request.properties_of(entity, where):
        values: dict[Value, None] = {}
        for value in best_values(entity, prop, where):
            try:
                values[read_value(value, request.languages)] = None
            except UnwrittenError as error:
                unwritten[str(error)] += 1
        if values:
            facts[prop] = tuple(values)[: request.max_values]
    name = " ".join(item.label.split())
    return Draft(item.qid, name, item.description, item.image, item.sitelinks, facts)


def write_draft(draft: Draft, out: BinaryIO) -> None:
    """Appends a draft to a file of drafts."""
    out.write(orjson.dumps(draft, default=list, option=orjson.OPT_APPEND_NEWLINE))


def read_drafts(file: Path) -> Iterator[Draft]:
    """The drafts of a file, in the order in which they were written."""
    with file.open("rb") as stream:
        for line in stream:
            draft = Draft(**orjson.loads(line))
            facts = {prop: tuple(Value(*v) for v in values) for prop, values in draft.facts.items()}
            yield replace(draft, facts=facts)


NO_VALUE_LABEL = "value whose label is missing"
NO_PROPERTY_LABEL = "value of a property whose label is missing"


def attributes_of(draft: Draft, labels: Mapping[str, str], left_out: Counter[str]) -> str:
    """The attributes of a draft; "" if nothing can be said.

    Args:
        labels: of properties and items, by id.
        left_out: values that can't be written for want of a label are counted here.
    """
    sentences = []
    for prop, values in draft.facts.items():
        name = labels.get(prop)
        if name is None:
            left_out[NO_PROPERTY_LABEL] += len(values)
            continue
        texts = [text for value in values if (text := value.written(labels)) is not None]
        left_out[NO_VALUE_LABEL] += len(values) - len(texts)
        if texts:
            sentence = f"{name[:1].upper()}{name[1:]}: {', '.join(dict.fromkeys(texts))}"
            sentences.append(sentence if sentence.endswith(".") else f"{sentence}.")
    return " ".join(sentences)
