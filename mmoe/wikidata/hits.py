"""From the items found for a word to the candidates of every mention of that word."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from mmoe.names import normalise_name, without_suffix
from mmoe.records import Candidate, Mention

Match = Literal["exact", "tokens"]


@dataclass(frozen=True, slots=True)
class Hit:
    """An item found for a word; the fields are those of a candidate."""

    qid: str
    label: str
    description: str
    match: str
    sitelinks: int | None


@dataclass(frozen=True)
class Matching:
    """When an item is a candidate of a word.

    Attributes:
        match: `exact`: the word is one of its names; `tokens`: every token of the word is a token of one
            of its names, for surnames and first names.
        strip_suffix: whether `Java (island)` also counts as `Java`.
        max_candidates: the best that are kept for a word.
    """

    match: Match = "exact"
    strip_suffix: bool = False
    max_candidates: int = 50


def forms_of(word: str, strip_suffix: bool) -> tuple[str, ...]:
    """The names that a normalised word may stand for, each once."""
    return tuple(dict.fromkeys((word, without_suffix(word)))) if strip_suffix else (word,)


def distinct_words(mentions: Iterable[Mention]) -> list[str]:
    """The normalised words of the mentions, each once, in order; empty ones are left out."""
    words = dict.fromkeys(normalise_name(mention.surface_form) for mention in mentions)
    return [word for word in words if word]


def candidates_of(
    mentions: Iterable[Mention], hits_by_word: Mapping[str, Sequence[Hit]]
) -> list[Candidate]:
    """The candidates of each mention in turn.

    Args:
        hits_by_word: best first, by normalised word; a word that is absent has no hit.
    """
    return [
        Candidate(
            mention_id=mention.mention_id,
            position=position,
            qid=hit.qid,
            label=hit.label,
            description=hit.description,
            match=hit.match,
            sitelinks=hit.sitelinks,
        )
        for mention in mentions
        for position, hit in enumerate(hits_by_word.get(normalise_name(mention.surface_form), ()))
    ]
