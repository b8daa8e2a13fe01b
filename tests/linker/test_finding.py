"""Names are found in texts: whole words, the longest, whatever case and accents."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmoe.linker.finding import (
    AROUND,
    NameFinder,
    context_of,
    folded_text,
    from_gliner,
    from_spacy,
)
from mmoe.records import Entity


def finder(*names: str, **aliases: list[str]) -> NameFinder:
    return NameFinder([Entity(f"Q{i}", name, "", ()) for i, name in enumerate(names)], aliases)


@pytest.mark.parametrize(
    ("names", "text", "found"),
    [
        (["Java"], "The Java class, JAVA; java.", ["Java", "JAVA", "java"]),
        (["Java"], "Javanese and pre-Java, MyJava", ["Java"]),
        (["York", "New York"], "New York and York", ["New York", "York"]),
        (["New York", "York City"], "New York City", ["New York"]),
        (["Café Müller"], "at CAFE MULLER's, café müller", ["CAFE MULLER", "café müller"]),
        (["Straße"], "STRASSE Strasse", ["STRASSE", "Strasse"]),
        (["US"], "us or US", ["US"]),
        (["C++"], "in C++, and C+", ["C++"]),
        (["東京"], "私は東京にいる", ["東京"]),
        (["A", ""], "A b", []),
        (["Java"], "", []),
    ],
)
def test_names_in_a_text(names: list[str], text: str, found: list[str]) -> None:
    assert [text[start:end] for start, end in finder(*names)(text)] == found


def test_other_names_are_found_too() -> None:
    find = finder("mercury", Q0=["Quicksilver", "Hg"])
    text = "Hg or quicksilver; hg not"
    assert [text[s:e] for s, e in find(text)] == ["Hg", "quicksilver"]


@given(
    st.lists(st.text("abÄé .", min_size=1, max_size=4), min_size=1, max_size=4),
    st.text("abÄéA .ß", max_size=20),
)
def test_the_spans_are_those_of_looking_at_every_place(names: list[str], text: str) -> None:
    """An oracle: every span of the text that stands alone and is a name, leftmost and longest first."""
    wanted = {folded_text(n.strip())[0] for n in names} - {""}
    names_of = {n.strip() for n in names}
    spans = []
    place = 0
    while place < len(text):
        for end in range(len(text), place, -1):
            word = text[place:end]
            left, right = text[max(0, place - 1) : place + 1], text[end - 1 : end + 1]
            alone = not any(len(pair) == 2 and pair.isalnum() for pair in (left, right))
            folded = folded_text(word)[0]
            meant = len(word) > 3 or word in names_of
            if alone and meant and len(folded) >= 2 and folded in wanted:
                spans.append((place, end))
                place = end - 1
                break
        place += 1
    assert finder(*names)(text) == spans


def test_the_context_is_what_stands_around() -> None:
    assert context_of("Java is here.", 0, 4) == "Java is here."
    text = f"{'before ' * 100}Java{' behind' * 100}"
    start = text.index("Java")
    context = context_of(text, start, start + 4)
    assert "Java" in context
    assert len(context) <= 2 * AROUND + 4
    assert set(context.split()) == {"before", "Java", "behind"}
    assert context_of("x" * 1000, 400, 600) == "x" * 700


def test_other_libraries_find_mentions() -> None:
    entity = SimpleNamespace(start_char=4, end_char=8)

    def nlp(text: str) -> Any:
        return SimpleNamespace(ents=[entity])

    assert from_spacy(nlp)("The Java class") == [(4, 8)]

    class Model:
        def predict_entities(self, text: str, labels: list[str], threshold: float) -> Any:
            start = text.index("Java")
            return [{"start": start, "end": start + 4, "label": labels[0], "score": threshold}]

    assert from_gliner(Model(), ("language",))("The Java class") == [(4, 8)]
