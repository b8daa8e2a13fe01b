"""Items by their names, in memory: candidates from a knowledge base or a label index that fits there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from mmoe.names import name_tokens, normalise_name
from mmoe.records import Candidate, Entity, Mention
from mmoe.wikidata.entity import qid_number
from mmoe.wikidata.label_index import ITEMS, NAMES, read_source
from mmoe.wikidata.matching import Matching, distinct_surface_forms, names_meant_by

KINDS = ("label", "alias", "tokens")  # of a match, best first


@dataclass(frozen=True)
class NamedItem:
    """What is known of an item beside its names."""

    qid: str
    label: str
    description: str
    sitelinks: int | None


class NameTable:
    """Finds the items that a surface form may name, without a query planner between.

    Args:
        items: in the order that decides among equal matches.
        names: normalised, each with the position of its item and its kind, label or alias.
    """

    def __init__(self, items: Sequence[NamedItem], names: Iterable[tuple[str, int, str]]) -> None:
        self.items = items
        self._exact: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
        for name, item, kind in names:
            self._exact[name].append((item, KINDS.index(kind)))
        self._postings: defaultdict[str, list[tuple[frozenset[str], str]]] = defaultdict(list)
        for name in self._exact:
            tokens = frozenset(name_tokens(name))
            for token in tokens:
                self._postings[token].append((tokens, name))

    @classmethod
    def of_entities(cls, entities: Sequence[Entity]) -> NameTable:
        """The names of a knowledge base, with attributes as descriptions.

        An entity's own name comes first, then names of fewer tokens, then the knowledge base's order.
        """
        order = sorted(entities, key=lambda entity: len(name_tokens(entity.name)))
        items = [NamedItem(e.qid, e.name, e.attributes, None) for e in order]
        return cls(items, [(normalise_name(e.name), i, "label") for i, e in enumerate(order)])

    @classmethod
    def of_index(cls, folder: Path) -> NameTable:
        """All items of a label index.

        Raises:
            WikidataError: if the folder holds no whole label index.
        """
        read_source(folder)
        columns = ["qid", "label", "description", "sitelinks"]
        rows = pq.read_table(folder / ITEMS, columns=columns).to_pylist()
        items = [
            NamedItem(r["qid"], r["label"] or "", r["description"] or "", r["sitelinks"])
            for r in rows
        ]

        def popular_first(item: NamedItem) -> tuple[bool, int, int]:
            return item.sitelinks is None, -(item.sitelinks or 0), qid_number(item.qid)

        items.sort(key=popular_first)
        position = {item.qid: i for i, item in enumerate(items)}
        names = pq.read_table(folder / NAMES, columns=["name", "qid", "kind"]).to_pylist()
        return cls(
            items,
            [(r["name"], position[r["qid"]], r["kind"]) for r in names if r["qid"] in position],
        )

    def find(self, mentions: Sequence[Mention], matching: Matching) -> list[Candidate]:
        """The candidates of all mentions; those of an index are the ones that `find_in_index` gives."""
        found = {form: self._items(form, matching) for form in distinct_surface_forms(mentions)}
        candidates = []
        for mention in mentions:
            hits = found.get(normalise_name(mention.surface_form), [])
            for position, (item, kind) in enumerate(hits):
                known = self.items[item]
                about = (known.qid, known.label, known.description, KINDS[kind], known.sitelinks)
                candidates.append(Candidate(mention.mention_id, position, *about))
        return candidates

    def _items(self, form: str, matching: Matching) -> list[tuple[int, int]]:
        """Items, each with the kind of its best match."""
        best: dict[int, int] = {}
        for name in names_meant_by(form, matching.strip_suffix):
            for item, kind in self._exact.get(name, ()):
                best[item] = min(kind, best.get(item, kind))
            if matching.match == "tokens":
                for item in self._with_tokens(frozenset(name_tokens(name))):
                    best.setdefault(item, KINDS.index("tokens"))
        order = sorted(best.items(), key=lambda hit: (hit[1], hit[0]))
        return order[: matching.max_candidates]

    def _with_tokens(self, wanted: frozenset[str]) -> list[int]:
        """The items that have all of these tokens in one name."""
        if not wanted:  # "?!" has none and would lie in every name
            return []
        rarest = min((self._postings.get(token, []) for token in wanted), key=len)
        names = [name for tokens, name in rarest if wanted <= tokens]
        return [item for name in names for item, _ in self._exact[name]]
