"""What the user asks of a knowledge base."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from mmoe.wikidata.knowledge.choice import Choice
from mmoe.wikidata.knowledge.properties import DEFAULT_PROPERTIES, readable_properties

ALL = "all"  # how the user and the receipt name all properties


@dataclass(frozen=True)
class Request:
    """Which items, and what is written of them.

    Attributes:
        languages: of names, descriptions and attributes, best first; `mul` stands in. A value that is a text
            in another language is left out.
        properties: of which attributes are made, in the order in which they are written; null for all
            that say something to a reader, in each item's own order, without the wikis' housekeeping.
        without_properties: of which none are made in any case.
        max_values: of a property.
        max_entities: the items with the most Wikipedia articles are kept; null for all.
        with_description: begin the attributes with the item's description.
        with_slice: also write the chosen items as a slice of the dump.
    """

    choice: Choice
    languages: tuple[str, ...] = ("en",)
    properties: tuple[str, ...] | None = tuple(DEFAULT_PROPERTIES)
    without_properties: tuple[str, ...] = ()
    max_values: int = 3
    max_entities: int | None = None
    with_description: bool = False
    with_slice: bool = False

    def properties_of(self, entity: dict[str, Any], where: str) -> Sequence[str]:
        """The properties of which an item's attributes are made, in their order.

        Raises:
            WikidataError: if its claims are not of the documented form.
        """
        wanted = self.properties
        if wanted is None:
            wanted = tuple(readable_properties(entity, where))
        return [prop for prop in wanted if prop not in self.without_properties]

    def for_receipt(self) -> dict[str, Any]:
        """All of it but the lists, of which only the lengths are told."""
        choice = self.choice
        return asdict(self) | {
            "properties": ALL if self.properties is None else self.properties,
            "choice": {
                "names": None if choice.names is None else len(choice.names),
                "qids": None if choice.qids is None else len(choice.qids),
                "kinds": None if choice.kinds is None else sorted(choice.kinds),
                "match": choice.match,
                "with_subclasses": choice.with_subclasses,
            },
        }

    def key_parts(self) -> list[Any]:
        """All that the first reading depends on, with sets in an order that is the same in every process."""
        choice = self.choice
        lists = [choice.names, choice.qids, choice.kinds]
        return [
            [None if found is None else sorted(found) for found in lists],
            choice.match,
            choice.with_subclasses,
            self.languages,
            self.properties,
            self.without_properties,
            self.max_values,
        ]
