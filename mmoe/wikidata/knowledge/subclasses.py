"""Kinds with all their subclasses: one reading of a dump collects who is a subclass of whom."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from mmoe.errors import WikidataError
from mmoe.wikidata.entity import best_values, is_qid, qid_number
from mmoe.wikidata.knowledge.lines import parsed

SUBCLASS_OF = "P279"

_MARK = b'"P279"'  # in every line that states it; most lines don't, and are not parsed


@dataclass
class Subclasses:
    """The direct subclasses of every class, as numbers: a whole dump has millions.

    Attributes:
        num_unread: items whose statements are not of the documented form.
    """

    num_unread: int = 0
    _of: defaultdict[int, list[int]] = field(default_factory=lambda: defaultdict(list))

    def read(self, lines: Iterable[bytes]) -> None:
        """Adds what the items of a dump state, best-ranked statements only.

        A broken line is passed over: it is counted when the items are chosen.
        """
        for line in lines:
            entity = parsed(line) if _MARK in line else None
            if entity is None or not is_qid(entity.get("id")):
                continue
            try:
                classes = list(_classes(entity))
            except WikidataError:
                self.num_unread += 1
                continue
            number = qid_number(entity["id"])
            for each in classes:
                self._of[each].append(number)

    def closed(self, kinds: Collection[str]) -> frozenset[str]:
        """The kinds and all classes below them; classes may be below each other."""
        found = {qid_number(kind) for kind in kinds}
        left = list(found)
        while left:
            new = set(self._of.get(left.pop(), ())) - found
            found |= new
            left.extend(new)
        return frozenset(f"Q{number}" for number in found)


def _classes(entity: dict[str, Any]) -> Iterator[int]:
    for value in best_values(entity, SUBCLASS_OF, f"item {entity['id']}"):
        target = value.get("id") if isinstance(value, dict) else None
        if not is_qid(target):
            raise WikidataError(f"item {entity['id']}: a value of {SUBCLASS_OF} has no `id`")
        yield qid_number(str(target))
