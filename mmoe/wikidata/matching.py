"""When an item's name counts as a surface form."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from mmoe.names import name_tokens, normalise_name, without_suffix
from mmoe.records import Mention

Match = Literal["exact", "tokens"]


@dataclass(frozen=True)
class Matching:
    """When an item is a candidate.

    Attributes:
        match: `exact`: the surface form is one of the item's names; `tokens`: every token of it is a token
            of one of its names, for surnames and first names.
        strip_suffix: whether `Java (island)` also counts as `Java`.
        max_candidates: the best that are kept for a surface form.
    """

    match: Match = "exact"
    strip_suffix: bool = False
    max_candidates: int = 50


def names_meant_by(surface_form: str, strip_suffix: bool) -> tuple[str, ...]:
    """The names that a normalised surface form may stand for, each once."""
    names = (surface_form, without_suffix(surface_form)) if strip_suffix else (surface_form,)
    return tuple(dict.fromkeys(names))


def distinct_surface_forms(mentions: Iterable[Mention]) -> list[str]:
    """The normalised surface forms, each once, in order; empty ones are left out."""
    forms = dict.fromkeys(normalise_name(mention.surface_form) for mention in mentions)
    return [form for form in forms if form]


class NameMatcher:
    """Tells which of many wanted names an item bears: the rule of `Matching`, one item at a time.

    A name that holds all tokens of another holds the rarest of them: looking that one up leaves few names
    to compare, however many are wanted.

    Args:
        names: normalised.
    """

    def __init__(self, names: Iterable[str], match: Match) -> None:
        self.names = frozenset(names)
        tokens_of = {name: frozenset(name_tokens(name)) for name in self.names}
        frequency = Counter(token for tokens in tokens_of.values() for token in tokens)
        self._by_rarest: dict[str, list[tuple[str, frozenset[str]]]] = {}
        for name, tokens in tokens_of.items() if match == "tokens" else ():
            if tokens:  # "?!" has none and would lie in every name
                # Of equals the longest: short words are more frequent in any language.
                rarest = min(tokens, key=lambda token: (frequency[token], -len(token), token))
                self._by_rarest.setdefault(rarest, []).append((name, tokens))

    def borne_by(self, own: frozenset[str]) -> frozenset[str]:
        """The wanted names that an item with these normalised names bears."""
        found = set(own & self.names)
        for name in own if self._by_rarest else ():
            tokens = frozenset(name_tokens(name))
            for token in tokens:
                candidates = self._by_rarest.get(token, ())
                found.update(wanted for wanted, needed in candidates if needed <= tokens)
        return frozenset(found)
