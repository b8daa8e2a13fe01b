"""A chosen item as far as its own lines of the dump tell it: the labels of what it refers to are lacking."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from mmoe.wikidata.entity import Item, best_values
from mmoe.wikidata.knowledge.values import UnwrittenError, Value, read_value


@dataclass(frozen=True, slots=True)
class Draft:
    """One future entity.

    Attributes:
        picture: its file name on Commons.
        sitelinks: number of its Wikipedia articles.
        facts: property -> the first few of its best-ranked values, in the order in which the properties
            were asked for.
    """

    qid: str
    name: str
    description: str | None
    picture: str | None
    sitelinks: int | None
    facts: dict[str, tuple[Value, ...]]

    def refers_to(self) -> Iterator[str]:
        """The properties and entities whose labels its attributes need."""
        for prop, values in self.facts.items():
            yield prop
            yield from (value.entity for value in values if value.entity is not None)


def draft_of(
    entity: dict[str, Any],
    item: Item,
    properties: Sequence[str],
    max_values: int,
    unwritten: Counter[str],
) -> Draft:
    """The draft of an item that has a label.

    Args:
        max_values: how many values of a property are taken at most.
        unwritten: values that have no text are counted here, by reason.
    Raises:
        WikidataError: if a property's statements are not of the documented form.
    """
    assert item.label is not None
    facts = {}
    for prop in properties:
        values = list(_values(best_values(entity, prop, f"item {item.qid}"), unwritten))
        if values:
            facts[prop] = tuple(dict.fromkeys(values))[:max_values]
    name = " ".join(item.label.split())
    return Draft(item.qid, name, item.description, item.picture, item.sitelinks, facts)


def _values(found: Iterable[Any], unwritten: Counter[str]) -> Iterator[Value]:
    for value in found:
        try:
            yield read_value(value)
        except UnwrittenError as error:
            unwritten[str(error)] += 1


def write_draft(draft: Draft, out: BinaryIO) -> None:
    """Appends a draft to a file of drafts."""
    facts = {prop: [list(value) for value in values] for prop, values in draft.facts.items()}
    fields = (draft.qid, draft.name, draft.description, draft.picture, draft.sitelinks, facts)
    out.write(orjson.dumps(fields, option=orjson.OPT_APPEND_NEWLINE))


def read_drafts(file: Path) -> Iterator[Draft]:
    """The drafts of a file, in the order in which they were written."""
    with file.open("rb") as stream:
        for line in stream:
            qid, name, description, picture, sitelinks, values = orjson.loads(line)
            facts = {prop: tuple(Value(*value) for value in values[prop]) for prop in values}
            yield Draft(qid, name, description, picture, sitelinks, facts)
