"""What the user asks of a knowledge base: which items become entities, and what is written of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mmoe.errors import WikidataError
from mmoe.wikidata.entity import Item
from mmoe.wikidata.knowledge.properties import DEFAULT_PROPERTIES, readable_properties
from mmoe.wikidata.matching import Match, name_matcher
from mmoe.wikidata.selection import PAGES

ALL = "all"  # how the user and the receipt name all properties


@dataclass(frozen=True)
class Choice:
    """What was asked for; an item is taken if it is listed or bears a name, and is of one of the kinds.

    Attributes:
        names: in their normal form; None if no list of names was given.
        qids: None if no list of ids was given.
        kinds: qids of which the item is a direct instance; None for any. Pages of the wikis are left out
            unless their own kind is among these or their id is listed.
        match: `exact`: an item bears a name if it is one of its own; `tokens`: also if all tokens of the
            name are tokens of one of its own, for surnames and first names.
        with_subclasses: whether the kinds stand for all their subclasses too, which only a dump can tell.
        closed_kinds: the kinds and all their subclasses, as whoever reads the dump finds them; None before,
            and where they are not wanted.
    """

    names: frozenset[str] | None = None
    qids: frozenset[str] | None = None
    kinds: frozenset[str] | None = None
    match: Match = "exact"
    with_subclasses: bool = False
    closed_kinds: frozenset[str] | None = None

    def names_of(self, item: Item) -> frozenset[str]:
        """Those of the names asked for that the item bears."""
        if self.names is None:
            return frozenset()
        return name_matcher(self.names, self.match).borne_by(item.normalised_names)

    def reason_against(self, item: Item) -> str | None:
        """Why an item is left out, as it is counted; None if it is taken."""
        is_listed = self.qids is not None and item.qid in self.qids
        is_open = self.names is None and self.qids is None
        if not (is_open or is_listed or self.names_of(item)):
            return "not asked for"
        page = None if is_listed else self._page(item)
        if page is not None:
            return page
        kinds = self.kinds if self.closed_kinds is None else self.closed_kinds
        if kinds is not None and kinds.isdisjoint(item.instance_of):
            return "of another kind"
        if item.label is None or not item.label.strip():
            return "without a label in the languages"
        return None

    def check(self) -> None:
        """Makes sure that something is asked for, and nothing in vain.

        Raises:
            WikidataError: naming the option to add.
        """
        if self.names is None and self.qids is None and self.kinds is None:
            raise WikidataError("no item is asked for; add --names, --qids or --kinds")
        if self.match == "tokens" and self.names is None:
            raise WikidataError("--match tokens: says how names are compared; add --names")
        if self.with_subclasses and self.kinds is None:
            raise WikidataError("--with-subclasses: says how kinds are meant; add --kinds")

    def _page(self, item: Item) -> str | None:
        """What page of the wikis an item is, if that was not asked for: a subclass of a kind may be one."""
        asked = self.kinds or frozenset()
        return next((PAGES[k] for k in item.instance_of if k in PAGES and k not in asked), None)


@dataclass(frozen=True)
class KbRequest:
    """Which items, and what is written of them.

    Attributes:
        languages: of names, descriptions and attributes, best first; `mul` stands in. A value that is a text
            in another language is left out.
        properties: of which attributes are made, in the order in which they are written; None for all
            that say something to a reader, in each item's own order, without the wikis' housekeeping.
        without_properties: of which none are made in any case.
        max_values: of a property.
        max_entities: the items with the most Wikipedia articles are kept; None for all.
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
        wanted = readable_properties(entity, where) if self.properties is None else self.properties
        return [prop for prop in wanted if prop not in self.without_properties]

    def as_json(self) -> dict[str, Any]:
        """All of it, sets as sorted lists: the same in every process."""
        choice = {
            name: sorted(value) if isinstance(value, frozenset) else value
            for name, value in vars(self.choice).items()
            if name != "closed_kinds"
        }
        properties = ALL if self.properties is None else self.properties
        return {**vars(self), "choice": choice, "properties": properties}


def check_for_api(choice: Choice) -> None:
    """Makes sure that the API can answer what is asked for.

    Raises:
        WikidataError: naming what it does not list.
    """
    if choice.names is None and choice.qids is None:
        raise WikidataError(
            "the API does not list all items of a kind; add --names or --qids, or name a dump"
        )
    if choice.with_subclasses:
        raise WikidataError(
            "the API does not list subclasses; list all --kinds themselves, or name a dump"
        )
    pages = sorted(PAGES.keys() & (choice.kinds or ()))
    if pages and choice.names is not None:
        raise WikidataError(
            f"--kinds {pages[0]}: by name the API gives no {PAGES[pages[0]]}; use --qids, or name a dump"
        )
