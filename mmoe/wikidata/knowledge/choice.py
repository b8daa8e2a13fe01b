"""Which items become entities."""

from __future__ import annotations

from dataclasses import dataclass

from mmoe.wikidata.entity import Item
from mmoe.wikidata.hits import Match
from mmoe.wikidata.index.request import PAGES
from mmoe.wikidata.labels import name_rows
from mmoe.wikidata.tokens import names_by_token


@dataclass(frozen=True)
class Choice:
    """What was asked for; an item is taken if it is listed or bears a name, and is of one of the kinds.

    Attributes:
        names: in their normal form; null if no list of names was given.
        qids: null if no list of ids was given.
        kinds: qids of which the item is a direct instance; null for any. Pages of the wikis are left out
            unless their own kind is among these or their id is listed.
        match: `exact`: an item bears a name if it is one of its own; `tokens`: also if all tokens of the
            name are tokens of one of its own, for surnames and first names.
        with_subclasses: whether the kinds stand for all their subclasses too, which only a dump can tell.
        closed_kinds: the kinds and all their subclasses, as whoever reads the dump finds them; null before,
            and where they are not wanted.
    """

    names: frozenset[str] | None = None
    qids: frozenset[str] | None = None
    kinds: frozenset[str] | None = None
    match: Match = "exact"
    with_subclasses: bool = False
    closed_kinds: frozenset[str] | None = None

    def names_of(self, item: Item) -> set[str]:
        """Those of the names asked for that the item bears."""
        if self.names is None:
            return set()
        own = {row[0] for row in name_rows(item)}
        found = own & self.names
        if self.match == "tokens":
            asked = names_by_token(self.names)
            found.update(name for each in own for name in asked.within(each))
        return found

    def reason_against(self, item: Item) -> str | None:
        """Why an item is left out, as it is counted; null if it is taken."""
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

    def _page(self, item: Item) -> str | None:
        """What page of the wikis an item is, if that was not asked for: a subclass of a kind may be one."""
        asked = self.kinds or frozenset()
        return next((PAGES[k] for k in item.instance_of if k in PAGES and k not in asked), None)
