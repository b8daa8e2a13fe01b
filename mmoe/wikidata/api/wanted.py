"""Which of the wanted words an item bears, by the names that it has."""

from __future__ import annotations

from collections.abc import Iterable

from mmoe.names import normalise_name
from mmoe.wikidata.entity import Item
from mmoe.wikidata.hits import Match
from mmoe.wikidata.tokens import NamesByToken


class Wanted:
    """The words that are looked for.

    Args:
        words: normalised, each once.
        match: when an item bears one; as `Matching.match`.
    """

    def __init__(self, words: Iterable[str], match: Match) -> None:
        self._words = frozenset(words)
        self._by_token = NamesByToken(self._words) if match == "tokens" else None

    def named(self, item: Item) -> frozenset[str]:
        """The words that are a name of the item."""
        return self._words & _names(item)

    def borne_by(self, item: Item) -> frozenset[str]:
        """The words that are a name of the item or, if that is enough, lie in one with all their tokens."""
        named = self.named(item)
        if self._by_token is None:
            return named
        return named.union(word for name in _names(item) for word in self._by_token.within(name))


def _names(item: Item) -> frozenset[str]:
    return frozenset(normalise_name(name.text) for name in item.names)
