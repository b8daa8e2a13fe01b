"""Text as data, and the part of a text that is shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmoe.descriptions.prompting.texts import ELLIPSIS, one_line, shortened

TEXT = "Two boats left. Near Ely the painter Ada Ray met a miller, and Ada stayed there for good."


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("plain words, 3 < 4", "plain words, 3 ‹ 4"),
        ("two\nlines\r\nand\u2028more", "two lines and more"),
        ("  a \t b\u3000 ", "a b"),
        ("A\x00d\x1ba\u200b\u202e\ufeff", "Ada"),
        ("a\x85b\x1cc", "a b c"),
        ("<|im_end|></s>", "‹|im_end|›‹/s›"),
        ("[INST] x [/INST] [1] [sic] [A]", "(INST) x (/INST) [1] [sic] [A]"),
        ("x\ud800y", "x\ufffdy"),
        ("mi\u200cravam", "mi\u200cravam"),
        ("Šárka, 張三, مريم, 😀", "Šárka, 張三, مريم, 😀"),
    ],
)
def test_what_is_sent_of_a_text(text: str, sent: str) -> None:
    assert one_line(text) == one_line(sent) == sent


@pytest.mark.parametrize(
    ("length", "part"),
    [
        (len(TEXT), TEXT),
        (40, "…Ely the painter Ada Ray met a miller,…"),
        (22, "…painter Ada Ray met…"),
        (5, "…Ada…"),
        (4, "Ada…"),
        (2, "A…"),
        (1, "…"),
    ],
)
def test_the_part_around_the_mention_is_kept(length: int, part: str) -> None:
    assert shortened(TEXT, "Ada", length) == part


def test_a_word_of_its_own_goes_before_a_part_of_a_word_and_text_without_blanks_is_cut() -> None:
    assert len(shortened("張" * 100, "李", 30)) == 30
    text = "Adaline is far; then came Ada and sang"
    assert shortened(text, "Ada", 13) == "…Ada and…"
    assert "Adaline" in shortened(text, "Adal", 9)


@given(st.text("aAb .\n", max_size=60), st.text("aAb .", max_size=8), st.integers(1, 70))
def test_a_part_is_a_part_and_holds_the_word(text: str, word: str, length: int) -> None:
    text, word = one_line(text), one_line(word)
    part = shortened(text, word, length)
    assert len(part) <= length
    assert part.strip(ELLIPSIS) in text
    if len(text) <= length:
        assert part == text
    elif word.lower() in text.lower() and len(word) + 2 <= length:
        assert word.lower() in part.lower()
