"""The longer name around a mention, as its context has it, and a context that hides it."""

from __future__ import annotations

import re

from mmoe.surface_forms import find_surface_form

STAND_IN = "someone"
# Words that stand in the middle of a name without a capital letter.
_PARTICLES = frozenset(
    {
        *("af", "al", "bin", "d", "da", "das", "de", "del", "den", "der", "des", "di", "do", "dos"),
        *("du", "e", "el", "ibn", "la", "le", "of", "ten", "ter", "the", "van", "von", "y", "zu"),
    }
)
_EDGES = " .'’-"
_POSSESSIVE = re.compile(r"['’]s?$")
_WORD = re.compile(r"[^\s,;:!?()\[\]{}\"“”«»]+")


def longer_name(text: str, surface_form: str) -> str:
    """The longest run of capitalised words that holds the surface form where it stands in its context.

    "Ludwig van Beethoven" for the mention "Beethoven" in "the house of Ludwig van Beethoven"; the surface
    form itself where no longer name stands around it or it does not occur.
    """
    place = _place_of_name(text, surface_form)
    name = "" if place is None else text[slice(*place)]
    return name if len(name) > len(surface_form) else surface_form


def hide_name(text: str, surface_form: str) -> str:
    """A context with `STAND_IN` where the mention's longer name stands; as it is if that does not occur.

    "the house of someone" for the mention "Beethoven" in "the house of Ludwig van Beethoven".
    """
    place = _place_of_name(text, surface_form)
    return text if place is None else text[: place[0]] + STAND_IN + text[place[1] :]


def _place_of_name(text: str, surface_form: str) -> tuple[int, int] | None:
    """Start and end of the longer name, or of the surface form alone; None where it does not occur."""
    found = find_surface_form(text, surface_form)
    if found is None:
        return None
    start, end = found
    words = [(word.start(), word.end()) for word in _WORD.finditer(text)]
    inside = [i for i, (first, last) in enumerate(words) if first < end and last > start]
    if not inside:
        return found
    low, high = inside[0], inside[-1]
    while (before := _next_in_name(text, words, low, -1)) is not None:
        low = before
    while (after := _next_in_name(text, words, high, 1)) is not None:
        high = after
    run = text[words[low][0] : words[high][1]]
    name = _POSSESSIVE.sub("", run.strip(_EDGES))
    if len(name) <= len(surface_form):
        return found
    start = words[low][0] + len(run) - len(run.lstrip(_EDGES))
    return start, start + len(name)


def _next_in_name(text: str, words: list[tuple[int, int]], at: int, step: int) -> int | None:
    """The next word of the same name in a direction, over particles; None where the name ends."""
    while 0 <= at + step < len(words):
        left, right = sorted((at, at + step))
        before, word = text[words[left][0] : words[left][1]], text[slice(*words[at + step])]
        ends_sentence = before.endswith(".") and len(before) > len("St.")
        if ends_sentence or text[words[left][1] : words[right][0]].strip():
            return None
        at += step
        if word[0].isupper():
            return at
        if word not in _PARTICLES:
            return None
    return None
