"""Byte-pair merges learned the plain way: on a few thousand words speed is no matter.

The trainer of `tokenizers` breaks ties in an order that changes from run to run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import pairwise

END_OF_WORD = "</w>"

Pair = tuple[str, str]


def learn_merges(words: Iterable[str], number: int) -> list[Pair]:
    """The most frequent pair of neighbours, merged, again and again; ties in alphabetical order.

    Args:
        words: texts cut into words, each character standing for a byte.
        number: of merges; fewer if no pair is left.
    """
    counts = Counter((*word[:-1], word[-1] + END_OF_WORD) for word in words)
    merges: list[Pair] = []
    while len(merges) < number:
        pairs: Counter[Pair] = Counter()
        for parts, count in counts.items():
            for pair in pairwise(parts):
                pairs[pair] += count
        if not pairs:
            break
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append(best)
        merged: Counter[tuple[str, ...]] = Counter()
        for parts, count in counts.items():
            merged[merge(parts, best)] += count
        counts = merged
    return merges


def merge(parts: tuple[str, ...], pair: Pair) -> tuple[str, ...]:
    """The parts of a word with every occurrence of `pair`, from the left, made one part."""
    joined: list[str] = []
    for part in parts:
        if joined and (joined[-1], part) == pair:
            joined[-1] += part
        else:
            joined.append(part)
    return tuple(joined)
