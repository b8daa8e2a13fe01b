"""What the user asks of a knowledge base: which items become entities, and what is written of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from mmoe.errors import WikidataError
from mmoe.files import read_text
from mmoe.names import normalise_name
from mmoe.wikidata.entity import Item, is_qid
from mmoe.wikidata.knowledge.properties import DEFAULT_PROPERTIES, readable_properties
from mmoe.wikidata.matching import Match, NameMatcher
from mmoe.wikidata.selection import PAGES
from mmoe.wikidata.work import json_rows

ALL = "all"  # how the user and the receipt name all properties
NIL = "nil"


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
        return self._matcher.borne_by(item.normalised_names) if self.names else frozenset()

    @cached_property
    def _matcher(self) -> NameMatcher:
        return NameMatcher(self.names or (), self.match)

    def reason_against(self, item: Item, asked_as: str | None = None) -> str | None:
        """Why an item is left out, as it is counted; None if it is taken.

        Args:
            asked_as: the id under which it was asked for, which counts as listed or not; None for its own.
        """
        is_listed = self.qids is not None and (asked_as or item.qid) in self.qids
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

    def check(self, from_api: bool) -> None:
        """Makes sure that something is asked for, nothing in vain, and of the API nothing that it can't tell.

        Raises:
            WikidataError: naming the option to add or to leave out.
        """
        complaint = next(self._complaints(from_api), None)
        if complaint is not None:
            raise WikidataError(complaint)

    def _complaints(self, from_api: bool) -> Iterator[str]:
        is_listed = self.names is not None or self.qids is not None
        if not is_listed and self.kinds is None:
            yield "no item is asked for; add --names, --qids or --kinds"
        if self.match == "tokens" and self.names is None:
            yield "--match tokens: says how names are compared; add --names"
        if self.with_subclasses and self.kinds is None:
            yield "--with-subclasses: says how kinds are meant; add --kinds"
        if not from_api:
            return
        if not is_listed:
            yield "the API does not list all items of a kind; add --names or --qids, or name a dump"
        if self.with_subclasses:
            yield "the API does not list subclasses; list all --kinds themselves, or name a dump"
        pages = sorted(PAGES.keys() & (self.kinds or ())) if self.names is not None else []
        if pages:
            yield (
                f"--kinds {','.join(pages)}: by name the API gives no pages of the wikis; use --qids, or "
                "name a dump"
            )

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
        told = asdict(self)
        del told["choice"]["closed_kinds"]
        for name, value in told["choice"].items():
            told["choice"][name] = sorted(value) if isinstance(value, frozenset) else value
        return told | {"properties": ALL if self.properties is None else self.properties}


def read_names(file: Path) -> frozenset[str]:
    """The names of a file in their normal form.

    Args:
        file: one name a line, or a .jsonl file of mentions (key `surface_form`).
    Raises:
        WikidataError: if it holds no name, or a row of it can't be read.
    """
    texts = [text for _, text in _texts(file, ("surface_form",))]
    names = frozenset(filter(None, map(normalise_name, texts)))
    if not names:
        raise WikidataError(f"{file}: holds no name; write one a line")
    return names


def read_qids(file: Path) -> tuple[str, ...]:
    """The item ids of a file, each once, in order.

    Args:
        file: one id a line, or a .jsonl file of entities (key `qid`) or mentions (key `gold_qid`, which
            may be null or nil).
    Raises:
        WikidataError: if it holds no id, something else, or a row of it can't be read.
    """
    qids: dict[str, None] = {}
    for where, text in read_ids(file):
        if not is_qid(text):
            raise WikidataError(f"{where}: {text!r} is no item's id; write Q and a number")
        qids[text] = None
    if not qids:
        raise WikidataError(f"{file}: holds no item id; write one a line")
    return tuple(qids)


def read_ids(file: Path) -> Iterator[tuple[str, str]]:
    """(where it stands, id) of each row of a file as for `read_qids`, whatever the id is like.

    Raises:
        WikidataError: if a row can't be read.
    """
    return (
        (where, text) for where, text in _texts(file, ("qid", "gold_qid")) if text.lower() != NIL
    )


def _texts(file: Path, keys: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """(where it stands, text) of each line that is not empty."""
    if not file.is_file():
        raise WikidataError(f"{file}: no such file")
    if file.suffix != ".jsonl":
        for number, line in enumerate(read_text(file).split("\n"), start=1):
            if line.strip():
                yield f"{file}, row {number}", line.strip()
        return
    for where, _, row in json_rows(file):
        key = next((key for key in keys if key in row), None)
        if key is None:
            raise WikidataError(f"{where}: has no key {' or '.join(f'`{key}`' for key in keys)}")
        if isinstance(row[key], str) and row[key].strip():
            yield where, row[key].strip()
