"""What a run found, and what it cost."""

from __future__ import annotations

from dataclasses import dataclass

from mmoe.wikidata.entity import Item


@dataclass(frozen=True)
class FoundItems:
    """Items that bear one of the words, and how they were come by.

    Attributes:
        items: each once, by number.
        words: that were asked for, normalised and each once.
        words_cut: those for which the API gave no whole list, so that obscure items may be lacking.
        dropped: items that bear a word but are of a kind that is left out, by reason.
        missing: hits that are no item any more.
        requests: that were sent, by kind of answer (search, names, items); every attempt counts.
        retries: attempts that failed and were made again, by reason.
        cache_hits: answers that were found kept.
        seconds: that it took.
    """

    items: list[Item]
    words: list[str]
    words_cut: list[str]
    dropped: dict[str, int]
    missing: int
    requests: dict[str, int]
    retries: dict[str, int]
    cache_hits: int
    seconds: float
