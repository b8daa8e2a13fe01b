"""Names by their words: which of many names have all their tokens in another name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from functools import lru_cache

from mmoe.names import name_tokens


class NamesByToken:
    """Many names, each to be found by the rarest of its tokens.

    A name that holds all tokens holds the rarest one: looking that up alone leaves few names to compare,
    however many were asked for.
    """

    def __init__(self, names: Collection[str]) -> None:
        tokens_of = {name: frozenset(name_tokens(name)) for name in names}
        frequency = Counter(token for tokens in tokens_of.values() for token in tokens)
        self._names: dict[str, list[tuple[str, frozenset[str]]]] = {}
        for name, tokens in tokens_of.items():
            if tokens:  # "?!" has none and would lie in every name
                # Of equals the longest: short words are more frequent in any language.
                rarest = min(tokens, key=lambda token: (frequency[token], -len(token), token))
                self._names.setdefault(rarest, []).append((name, tokens))

    def within(self, name: str) -> Iterator[str]:
        """Those of the names all of whose tokens are tokens of `name`, each once."""
        tokens = frozenset(name_tokens(name))
        for token in tokens:
            for asked, needed in self._names.get(token, ()):
                if needed <= tokens:
                    yield asked


@lru_cache(maxsize=4)
def names_by_token(names: frozenset[str]) -> NamesByToken:
    """The same for equal names: a choice is copied where its other parts change, its names stay."""
    return NamesByToken(names)
