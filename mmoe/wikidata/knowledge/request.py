"""What the user asks of a knowledge base."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from mmoe.wikidata.knowledge.choice import Choice
from mmoe.wikidata.knowledge.properties import DEFAULT_PROPERTIES


@dataclass(frozen=True)
class Request:
    """Which items, and what is written of them.

    Attributes:
        languages: of names, descriptions and attributes, best first; `mul` stands in.
        properties: of which attributes are made, in the order in which they are written.
        max_values: of a property.
        max_entities: the items with the most Wikipedia articles are kept; null for all.
        with_description: begin the attributes with the item's description.
        with_slice: also write the chosen items as a slice of the dump.
    """

    choice: Choice
    languages: tuple[str, ...] = ("en",)
    properties: tuple[str, ...] = tuple(DEFAULT_PROPERTIES)
    max_values: int = 3
    max_entities: int | None = None
    with_description: bool = False
    with_slice: bool = False

    def for_receipt(self) -> dict[str, Any]:
        """All of it but the lists, of which only the lengths are told."""
        choice = self.choice
        return asdict(self) | {
            "choice": {
                "names": None if choice.names is None else len(choice.names),
                "qids": None if choice.qids is None else len(choice.qids),
                "kinds": None if choice.kinds is None else sorted(choice.kinds),
                "match": choice.match,
            }
        }

    def key_parts(self) -> list[Any]:
        """All that the first reading depends on, with sets in an order that is the same in every process."""
        choice = self.choice
        lists = [choice.names, choice.qids, choice.kinds]
        return [
            [None if found is None else sorted(found) for found in lists],
            choice.match,
            self.languages,
            self.properties,
            self.max_values,
        ]
