"""Which of the wanted words an item bears, by the names that it has."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from mmoe.names import name_tokens, normalise_name
from mmoe.wikidata.entity import Item
from mmoe.wikidata.hits import Match


class Wanted:
    """The words that are looked for.

    Args:
        words: normalised, each once.
        match: when an item bears one; as `Matching.match`.
    """

    def __init__(self, words: Iterable[str], match: Match) -> None:
        self._words = frozenset(words)
        # By its longest token, which the fewest names hold: each name is compared with few words.
        self._by_token: dict[str, list[tuple[str, frozenset[str]]]] = defaultdict(list)
        for word in self._words if match == "tokens" else ():
            tokens = frozenset(name_tokens(word))
            if tokens:
                self._by_token[max(tokens, key=lambda token: (len(token), token))].append(
                    (word, tokens)
                )

    def named(self, item: Item) -> frozenset[str]:
        """The words that are a name of the item."""
        return self._words.intersection(normalise_name(name.text) for name in item.names)

    def borne_by(self, item: Item) -> frozenset[str]:
        """The words that are a name of the item or, if that is enough, lie in one with all their tokens."""
        return self.named(item).union(self._held(item)) if self._by_token else self.named(item)

    def _held(self, item: Item) -> Iterator[str]:
        for text in {normalise_name(name.text) for name in item.names}:
            own = frozenset(name_tokens(text))
            for token in own & self._by_token.keys():
                for word, tokens in self._by_token[token]:
                    if tokens <= own:
                        yield word
