"""Invented items, and the two ways in which the API looks for their names."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from tests.wikidata.knowledge.world import item_value, statement

Json = dict[str, Any]
Term = tuple[str, str, str]  # kind (label or alias), language, text

_MARKS = "".join(sign for sign in map(chr, range(0x3000)) if unicodedata.category(sign)[0] == "M")
_LETTERS = rf"(?:[^\W_]|[{_MARKS}])+"
_TOKEN = re.compile(rf"{_LETTERS}(?:['’.]{_LETTERS})*")


def item(
    number: int,
    labels: dict[str, str] | str | None = None,
    aliases: dict[str, Sequence[str]] | Sequence[str] = (),
    kind: str = "Q5",
    sitelinks: int = 0,
    description: str | None = None,
) -> Json:
    """An item as the API writes it; names without a language are English."""
    labels = {"en": labels} if isinstance(labels, str) else labels or {}
    aliases = aliases if isinstance(aliases, dict) else {"en": aliases} if aliases else {}
    sites = [f"{letter}wiki" for letter in "abcdefghijklmnopqrstuvwxyz"[:sitelinks]]

    def term(language: str, text: str) -> Json:
        return {"language": language, "value": text}

    return page_of(f"Q{number}") | {
        "type": "item",
        "id": f"Q{number}",
        "labels": {code: term(code, text) for code, text in labels.items()},
        "descriptions": {"en": term("en", description)} if description else {},
        "aliases": {code: [term(code, each) for each in some] for code, some in aliases.items()},
        "claims": {"P31": [statement(item_value(kind))]},
        "sitelinks": {site: {"site": site, "title": "x", "badges": []} for site in sites},
    }


def page_of(qid: str) -> Json:
    """What the API tells of the page on which an item or a property stands."""
    edited = "2026-01-02T03:04:05Z"
    return {"pageid": int(qid[1:]), "ns": 0, "title": qid, "lastrevid": 2, "modified": edited}


@dataclass
class Store:
    """What the fake knows.

    Attributes:
        popularity: in [0, 1] by qid; 0 where it is not named.
        redirects: from an id that a search still gives to the one that it was merged into.
        deleted: ids that a search still gives.
    """

    items: dict[str, Json] = field(default_factory=dict)
    popularity: dict[str, float] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    _lists: dict[tuple[str, str, bool, int], list[tuple[str, Term]]] = field(default_factory=dict)
    _found: dict[str, list[str]] = field(default_factory=dict)

    def add(self, *items: Json, popularity: float = 0.0) -> None:
        for one in items:
            self.items[one["id"]] = one
            self.popularity[one["id"]] = popularity

    def in_labels(self, phrases: Sequence[str]) -> list[str]:
        """Items that have all phrases, each with its tokens in a row in some name, popular ones first.

        Who has them is looked up once for all pages; popularity may change between these.
        """
        key = repr((phrases, len(self.items)))
        if key not in self._found:
            wanted = [tokens(phrase) for phrase in phrases]
            self._found[key] = [
                qid for qid, one in self.items.items() if all(_has(one, row) for row in wanted)
            ]
        return sorted(
            self._found[key], key=lambda qid: (-self.popularity.get(qid, 0), int(qid[1:]))
        )

    def by_prefix(self, search: str, language: str, strict: bool) -> list[tuple[str, Term]]:
        """Items of which a name begins so, best match first, each with a name that does.

        A list is made once for all its pages; items that are added later make a new one.
        """
        key = (search, language, strict, len(self.items))
        if key not in self._lists:
            self._lists[key] = self._by_prefix(search, language, strict)
        return self._lists[key]

    def _by_prefix(self, search: str, language: str, strict: bool) -> list[tuple[str, Term]]:
        scored = []
        for qid, one in self.items.items():
            codes = (language, "mul") if strict else None
            begin = [term for term in terms(one, codes) if fold(term[2]).startswith(fold(search))]
            if begin:
                best = max(_score(term, search, language) for term in begin)
                shown = min(begin, key=lambda term: term[1] != language)  # a name, not the best one
                scored.append((-best - self.popularity.get(qid, 0), int(qid[1:]), qid, shown))
        return [(qid, term) for _, _, qid, term in sorted(scored)]


def terms(one: Json, languages: Sequence[str] | None = None) -> Iterator[Term]:
    """The labels and aliases of an item, in some languages or in all."""
    for code, label in one["labels"].items():
        if languages is None or code in languages:
            yield "label", code, label["value"]
    for code, aliases in one["aliases"].items():
        if languages is None or code in languages:
            for alias in aliases:
                yield "alias", code, alias["value"]


def plain(text: str) -> str:
    """Lower-cased, apostrophes, underscores and hyphens as spaces."""
    folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())
    return " ".join(re.sub("['’_-]", " ", folded).split())


@cache
def fold(text: str) -> str:
    """As plain, without diacritics."""
    apart = unicodedata.normalize("NFKD", plain(text))
    return "".join(character for character in apart if not unicodedata.combining(character))


@cache
def tokens(text: str) -> tuple[str, ...]:
    """Runs of letters, marks and digits; an apostrophe or a full stop between two letters is part of one."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFC", text).casefold())
    return tuple(_TOKEN.findall(folded))


def _has(one: Json, wanted: tuple[str, ...]) -> bool:
    return bool(wanted) and any(_holds(tokens(text), wanted) for _, _, text in terms(one))


def _holds(row: tuple[str, ...], wanted: tuple[str, ...]) -> bool:
    return any(row[at : at + len(wanted)] == wanted for at in range(len(row) - len(wanted) + 1))


def _score(term: Term, search: str, language: str) -> float:
    _, code, text = term
    exact, folded, prefix = 2.0, 1.6, 1.1
    if code != language:
        if code != "mul":
            return 0.001
        exact, folded, prefix = 1.9 * 0.9, 1.3 * 0.9, 0.4 * 0.9
    if plain(text) == plain(search):
        return exact
    return folded if fold(text) == fold(search) else prefix
