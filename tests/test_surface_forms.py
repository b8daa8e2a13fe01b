"""Where a mention stands in its context."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmoe.surface_forms import find_surface_form


@pytest.mark.parametrize(
    ("text", "surface_form", "found"),
    [
        ("Javanese coffee of Java", "Java", "Java"),
        ("JAVA and java and Java", "Java", "Java"),
        ("java in Javanese", "Java", "Java"),  # spelled exactly, though inside a word
        ("javanese of java", "Java", "java"),
        ("a car, a car", "car", "car"),
        ("in the CAFÉ", "café", "CAFÉ"),
        ("İİİ straße, Straße", "STRASSE", "straße"),
        ("die STRASSE", "Straße", "STRASSE"),
        ("to İstanbul", "İSTANBUL", "İstanbul"),
        ("c++ [2.0] c++ (2.0)", "C++ (2.0)", "c++ (2.0)"),
        ("jaguar.", ".", "."),
        ("東京都に住む", "東京", "東京"),
        ("ß", "s", None),  # half a letter is no place
        ("Cafe\u0301 or Cafe", "Cafe", "Cafe"),
        ("the jaguar", "lion", None),
        ("the jaguar", "", None),
        ("", "car", None),
    ],
)
def test_the_place_reads_as_the_surface_form(
    text: str, surface_form: str, found: str | None
) -> None:
    span = find_surface_form(text, surface_form)
    assert (text[slice(*span)] if span else None) == found


def test_a_whole_word_goes_before_the_beginning_of_another() -> None:
    assert find_surface_form("Javanese … Java", "Java") == (11, 15)
    assert find_surface_form("Cafe\u0301 or Cafe", "Cafe") == (9, 13)


def slowly(text: str, surface_form: str) -> tuple[int, int] | None:
    """Every place, by every rule, in order."""

    def in_word(letter: str) -> bool:
        return unicodedata.category(letter)[0] in "LNM" or letter == "_"

    def is_whole(start: int, end: int) -> bool:
        left = start > 0 and in_word(text[start - 1]) and in_word(text[start])
        return not left and not (end < len(text) and in_word(text[end - 1]) and in_word(text[end]))

    spans = [(i, j) for i in range(len(text)) for j in range(i + 1, len(text) + 1)]
    exact = [span for span in spans if text[slice(*span)] == surface_form]
    folded = [s for s in spans if text[slice(*s)].casefold() == surface_form.casefold()]
    for places in (exact, folded):
        for span in [s for s in places if is_whole(*s)] + places:
            return span
    return None


LETTERS = "aAbßsSİiı\u0307é _.ﬃf1"


@settings(max_examples=300)
@given(st.text(LETTERS, max_size=14), st.text(LETTERS, max_size=3))
def test_it_is_what_trying_every_place_finds(text: str, surface_form: str) -> None:
    assert find_surface_form(text, surface_form) == slowly(text, surface_form)
    inside = text[1:3]
    assert find_surface_form(text, inside) == slowly(text, inside)
