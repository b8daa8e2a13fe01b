"""Chooses the items of a knowledge base, one at a time, and counts what becomes of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from mmoe.errors import WikidataError
from mmoe.wikidata.dump import parsed
from mmoe.wikidata.entity import read_item
from mmoe.wikidata.index.extract import DUPLICATE, KEPT, NOT_AS_DOCUMENTED, NOT_JSON, Tally
from mmoe.wikidata.knowledge.drafts import Draft, draft_of
from mmoe.wikidata.knowledge.request import KbRequest

LISTED_WITHOUT = "listed ids without an item"
NO_ITEM = "no item"  # a property, a lexeme


@dataclass
class Chooser:
    """Chooses items line by line; every line counts once, as kept or by the reason why not.

    Attributes:
        unwritten: values that have no text, or none in the languages, by reason.
        qids: of the chosen items.
        names: in their normal form: those that were asked for and that a chosen item bears.
    """

    request: KbRequest
    tally: Tally = field(default_factory=Tally)
    unwritten: Counter[str] = field(default_factory=Counter)
    qids: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)

    def drafts(self, lines: Iterable[bytes]) -> Iterator[Draft]:
        """A draft for each chosen item, in file order."""
        for number, line in enumerate(lines, start=1):
            entity = parsed(line)
            if entity is None:
                self.tally.skip_broken(NOT_JSON, f"entity {number}: {NOT_JSON}")
                continue
            draft = self.draft(entity, f"entity {number}")
            if draft is not None:
                yield draft

    def draft(
        self, entity: dict[str, Any], where: str, asked_as: str | None = None
    ) -> Draft | None:
        """The draft of an entity, if it is an item that is chosen; it is counted in any case.

        Args:
            where: what the example of a broken entity begins with.
            asked_as: as for `Choice.reason_against`.
        """
        request = self.request
        try:
            item = read_item(entity, request.languages, where)
            if item is None:
                self.tally.counts[NO_ITEM] += 1
                return None
            reason = request.choice.reason_against(item, asked_as)
            if reason is None and item.qid in self.qids:
                reason = DUPLICATE
            if reason is not None:
                self.tally.counts[reason] += 1
                return None
            draft = draft_of(entity, item, request, self.unwritten)
        except WikidataError as error:
            self.tally.skip_broken(NOT_AS_DOCUMENTED, str(error))
            return None
        self.tally.counts[KEPT] += 1
        self.qids.add(item.qid)
        self.names |= request.choice.names_of(item)
        return draft

    def counts(self) -> dict[str, int]:
        """Numbers of items chosen and left out: of names and ids without an item, of values without text."""
        choice, tally = self.request.choice, self.tally
        counts = {"chosen": tally.counts[KEPT]}
        if choice.names is not None:
            counts["names without an item"] = len(choice.names) - len(self.names)
        if choice.qids is not None:
            counts[LISTED_WITHOUT] = len(choice.qids - self.qids)
        counts |= {f"left out: {why}": n for why, n in tally.skipped.items()}
        return counts | {
            f"values without text: {why}": n for why, n in sorted(self.unwritten.items())
        }
