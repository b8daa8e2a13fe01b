"""Finds mentions in a text: by the names of a knowledge base, or by what another library finds."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mmoe.linker.queries import Picture, Query
from mmoe.linker.results import LinkResult
from mmoe.records import Entity

Span = tuple[int, int]  # of characters, from the first to behind the last
FindMentions = Callable[[str], Iterable[Span]]

SHORTEST = 2  # characters of a name that is looked for
CASE_COUNTS = 3  # up to so many characters a name must stand in its own case: "us" is not "US"
_UNSPACED = re.compile(".?[\u0e00-\u0eff\u2e80-\uffdc]")  # Thai and Lao, Chinese, Japanese, Korean
AROUND = 250  # characters on each side of a mention that are its context


@dataclass(frozen=True)
class LinkedMention:
    """A mention that was found in a text.

    Attributes:
        start, end: of characters, the first and behind the last.
        result: what it was linked to; `result.is_nil` says that it may be none of the entities.
    """

    start: int
    end: int
    result: LinkResult


class NameFinder:
    """Finds names and aliases in texts, whatever their case and accents; of overlapping ones the longest.

    Args:
        aliases: other names by qid.
    """

    def __init__(self, entities: Sequence[Entity], aliases: Mapping[str, Sequence[str]]) -> None:
        from ahocorasick_rs import AhoCorasick  # only who reads texts needs it

        names: dict[str, set[str]] = {}  # as they are written, by their folded form
        for entity in entities:
            for name in (entity.name, *aliases.get(entity.qid, ())):
                folded = folded_text(name.strip())[0]
                if len(folded) >= SHORTEST:
                    names.setdefault(folded, set()).add(name.strip())
        self._folded = list(names)
        self._written = [names[folded] for folded in self._folded]
        self._automaton = AhoCorasick(self._folded)

    def __call__(self, text: str) -> list[Span]:
        """The spans of names, from left to right; none overlaps another."""
        folded, places = folded_text(text)
        found = []
        for name, start, end in self._automaton.find_matches_as_indexes(folded, overlapping=True):
            first, last = places[start], places[end - 1]
            span = first, last + 1
            if (start and places[start - 1] == first) or places[end : end + 1] == [last]:
                continue  # a part of a character, as of a ligature
            if _stands_alone(text, *span) and self._is_meant(name, text[first : last + 1]):
                found.append(span)
        return _leftmost_longest(found)

    def _is_meant(self, name: int, written: str) -> bool:
        return len(written) > CASE_COUNTS or written in self._written[name]


def from_spacy(nlp: Any) -> FindMentions:
    """Mentions as a spaCy pipeline's named entities; for `Linker.link_text(mentions=…)`."""

    def find(text: str) -> list[Span]:
        return [(entity.start_char, entity.end_char) for entity in nlp(text).ents]

    return find


def from_gliner(model: Any, labels: Sequence[str], threshold: float = 0.5) -> FindMentions:
    """Mentions as a GLiNER model finds them for some labels; for `Linker.link_text(mentions=…)`."""

    def find(text: str) -> list[Span]:
        found = model.predict_entities(text, list(labels), threshold=threshold)
        return [(each["start"], each["end"]) for each in found]

    return find


def folded_text(text: str) -> tuple[str, list[int]]:
    """A text without case and accents, and of each of its characters the place of the one it comes from."""
    folded, places = [], []
    for place, character in enumerate(text):
        # Syllables of Hangul would come apart into letters.
        is_syllable = "\uac00" <= character <= "\ud7a3"
        plain = character if is_syllable else unicodedata.normalize("NFKD", character)
        for each in plain.casefold():
            if not unicodedata.combining(each):
                folded.append(each)
                places.append(place)
    return "".join(folded), places


def context_of(text: str, start: int, end: int) -> str:
    """The words around a mention."""
    first, last = max(0, start - AROUND), min(len(text), end + AROUND)
    if first:  # at a word's beginning
        first = min(start, text.find(" ", first, start) + 1 or first)
    if last < len(text):
        last = max(end, text.rfind(" ", end, last)) if " " in text[end:last] else last
    return text[first:last].strip()


def queries_in(text: str, spans: Iterable[Span], image: Picture | None) -> list[Query]:
    """The mentions at some places of a text, each with the words around it."""
    return [Query(text[start:end], context_of(text, start, end), image) for start, end in spans]


def _stands_alone(text: str, start: int, end: int) -> bool:
    """Whether no word goes on before or behind it."""
    goes_on_before = start > 0 and _is_of_one_word(text[start - 1], text[start])
    goes_on_behind = end < len(text) and _is_of_one_word(text[end - 1], text[end])
    return not goes_on_before and not goes_on_behind


def _is_of_one_word(left: str, right: str) -> bool:
    """Whether two neighbours are letters or digits of a script that puts spaces between words."""
    if unicodedata.category(right).startswith("M"):  # a mark on the letter before
        return True
    is_word = left.isalnum() or unicodedata.category(left).startswith("M")
    return is_word and right.isalnum() and not _UNSPACED.match(left + right)


def _leftmost_longest(spans: Sequence[Span]) -> list[Span]:
    chosen: list[Span] = []
    for start, end in sorted(set(spans), key=lambda span: (span[0], -span[1])):
        if not chosen or start >= chosen[-1][1]:
            chosen.append((start, end))
    return chosen
