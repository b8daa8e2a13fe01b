"""Byte-pair merges, learned in an order that depends on the words alone.

The trainer of `tokenizers` breaks ties in an order that changes from run to run.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import pairwise

END_OF_WORD = "</w>"

Pair = tuple[str, str]
Parts = tuple[str, ...]


class _Words:
    """The words cut into parts, with every pair of neighbours counted and where it stands."""

    def __init__(self, words: Iterable[str]) -> None:
        counts = Counter((*word[:-1], word[-1] + END_OF_WORD) for word in words)
        self.parts: list[Parts] = list(counts)
        self.counts = list(counts.values())
        self.pairs: Counter[Pair] = Counter()
        self.places: defaultdict[Pair, set[int]] = defaultdict(set)
        for number in range(len(self.parts)):
            self._count(number, sign=1)

    def _count(self, number: int, sign: int) -> None:
        for pair in pairwise(self.parts[number]):
            self.pairs[pair] += sign * self.counts[number]
            self.places[pair].add(number)

    def join(self, pair: Pair) -> None:
        """Merges the pair in all words that hold it."""
        for number in self.places.pop(pair):
            self._count(number, sign=-1)
            self.parts[number] = merge(self.parts[number], pair)
            self._count(number, sign=1)
        self.pairs = +self.pairs  # drops what no longer occurs


def learn_merges(words: Iterable[str], number: int) -> list[Pair]:
    """The most frequent pair of neighbours, merged, again and again; ties in alphabetical order.

    Args:
        words: texts cut into words, each character standing for a byte.
        number: of merges; fewer if no pair is left.
    """
    state = _Words(words)
    merges: list[Pair] = []
    while len(merges) < number and state.pairs:
        best = min(state.pairs, key=lambda pair: (-state.pairs[pair], pair))
        merges.append(best)
        state.join(best)
    return merges


def merge(parts: Parts, pair: Pair) -> Parts:
    """The parts of a word with every occurrence of `pair`, from the left, made one part."""
    joined: list[str] = []
    for part in parts:
        if joined and (joined[-1], part) == pair:
            joined[-1] += part
        else:
            joined.append(part)
    return tuple(joined)
