"""Pairs of texts that share some words, so that the text tower learns to see which words texts share.

Words are drawn at random from the authored vocabulary: no fact, no sentence and no pair of texts of the
sample is trained on, only that two texts with the same rare words are closer than two without.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterable
from itertools import accumulate

from tools.sample.captions import SEPARATOR, invented_name

LEAST_SHARED, MOST_SHARED = 2, 5
MOST_OTHER = 6  # words that only one of the two texts has
DAMPING = 0.75  # a word is dealt by its count to this power: rare ones more often than they stand
NAMED_SHARE = 0.5  # of the texts; they begin with a name
LINE_SHARE = 0.5  # of the texts; written as attributes, the others as a phrase

_WORD = re.compile(r"[\w'’-]+")


class WordBags:
    """Deals out words, alone or as pairs of texts.

    Args:
        texts: whose words are dealt; at least one word.
        meaningful: texts whose words `empty_words` must not deal, as captions give them a meaning.
    """

    def __init__(self, texts: Iterable[str], meaningful: Iterable[str] = ()) -> None:
        counts = Counter(word for text in texts for word in _WORD.findall(text))
        spoken = {word.lower() for text in meaningful for word in _WORD.findall(text)}
        self.words = list(counts)
        self.shares = list(accumulate(count**DAMPING for count in counts.values()))
        self.empty = [word for word in self.words if word.lower() not in spoken]

    def pair(self, rng: random.Random) -> tuple[str, str]:
        """Two texts of which each holds the shared words, in any order, among words of its own."""
        shared = self._deal(rng.randint(LEAST_SHARED, MOST_SHARED), rng)
        first, second = (
            _written(shared + self._deal(rng.randint(0, MOST_OTHER), rng), rng) for _ in range(2)
        )
        return first, second

    def empty_words(self, number: int, rng: random.Random) -> list[str]:
        """Words that say nothing of an image."""
        return rng.choices(self.empty, k=number)

    def _deal(self, number: int, rng: random.Random) -> list[str]:
        return rng.choices(self.words, cum_weights=self.shares, k=number)


def _written(words: list[str], rng: random.Random) -> str:
    """The words shuffled, as a phrase or as attributes, under a name or not."""
    left = rng.sample(words, len(words))
    if rng.random() < LINE_SHARE:
        lines = []
        while left:
            length = rng.randint(2, 4)
            key, *values = left[:length]
            lines.append(f"{key}: {' '.join(values)}." if values else f"{key}.")
            left = left[length:]
        text = " ".join(lines)
    else:
        text = " ".join(left)
    if rng.random() < NAMED_SHARE:
        text = invented_name(rng) + rng.choice((SEPARATOR, ". ")) + text
    return text
