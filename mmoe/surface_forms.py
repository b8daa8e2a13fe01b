"""Where a mention stands in its context: one rule for the text layout, the prompts and the report."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from itertools import accumulate


def find_surface_form(text: str, surface_form: str) -> tuple[int, int] | None:
    """Finds the place of a mention's surface form in its context.

    A whole word goes before a part of one, and the exact spelling before one that differs in case; among
    equals the first place counts. *Java* in "Javanese coffee comes from Java" is therefore the last word.

    Args:
        text: the context.
        surface_form: as the data set writes the mention.
    Returns:
        (start, end) in characters of `text`, or None if it does not occur or is empty.
    """
    if not surface_form:
        return None
    for places in (_exact(text, surface_form), _case_folded(text, surface_form)):
        first = None
        for start, end in places:
            if _is_whole_word(text, start, end):
                return start, end
            first = first or (start, end)
        if first:
            return first
    return None


def _exact(text: str, part: str) -> Iterator[tuple[int, int]]:
    start = text.find(part)
    while start >= 0:
        yield start, start + len(part)
        start = text.find(part, start + 1)


def _case_folded(text: str, part: str) -> Iterator[tuple[int, int]]:
    """As `_exact`, whatever the case; the offsets are those of `text`, although folding lengthens ß."""
    letters = [letter.casefold() for letter in text]
    places = _exact("".join(letters), part.casefold())
    ends = list(accumulate(map(len, letters), initial=0))
    if ends[-1] == len(text):
        yield from places
        return
    letter_at = {folded: i for i, folded in enumerate(ends)}
    for start, end in places:
        if start in letter_at and end in letter_at:  # else it begins or ends inside a letter
            yield letter_at[start], letter_at[end]


def _is_whole_word(text: str, start: int, end: int) -> bool:
    """Whether no word goes on across either end of the place."""
    return not any(
        0 < edge < len(text) and _in_word(text[edge - 1]) and _in_word(text[edge])
        for edge in (start, end)
    )


def _in_word(letter: str) -> bool:
    # A mark (an accent of its own, a vowel sign) belongs to the letter before it, which `\w` does not know.
    return letter.isalnum() or letter == "_" or unicodedata.category(letter).startswith("M")
