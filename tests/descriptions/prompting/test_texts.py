"""Text as data: what is shown of it, and that a question keeps its form whatever a text says."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmoe.descriptions.prompting.question import Question
from mmoe.descriptions.prompting.texts import ELLIPSIS, one_line, shortened
from mmoe.records import Candidate, Mention

from tests.descriptions.prompting.written import HOSTILE, last_message, written
from tests.descriptions.rows import candidates, mention

ANY = st.text(st.characters(codec=None)) | st.sampled_from(sorted(HOSTILE.values(), key=len)[:-3])


def question_of(text: str, word: str, label: str, description: str, prompt: str) -> Question:
    about: Mention = mention("m", text, surface_form=word)
    group: list[Candidate] = [
        replace(candidates("m", "x")[0], label=label, description=description),
        replace(candidates("m", "x", "y")[1], label=label),
    ]
    return written(about, group, prompt=prompt, order="retrieval")


def assert_same_form(question: Question, prompt: str) -> None:
    """As the same question with harmless values: roles, lines, marks, arguments."""
    harmless = question_of("t", "w", "l", "d", prompt)
    body, plain = question.request.body, harmless.request.body
    sent = json.loads(json.dumps(body, ensure_ascii=False).encode())
    assert sent == body
    assert {k: v for k, v in body.items() if k != "messages"} == {
        k: v for k, v in plain.items() if k != "messages"
    }
    # Instructions and examples are the very same; only the last message differs.
    assert body["messages"][:-1] == plain["messages"][:-1]
    assert [m["role"] for m in body["messages"]] == [m["role"] for m in plain["messages"]]
    lines, plain_lines = last_message(question).split("\n"), last_message(harmless).split("\n")
    assert [line.splitlines() for line in lines] == [[line] for line in lines]
    assert len(lines) == len(plain_lines) == 7
    for line, plain_line in zip(lines, plain_lines, strict=True):
        assert line.count("<") == plain_line.count("<")
        assert line.count(">") == plain_line.count(">")
        assert line[:3] == plain_line[:3]
    assert "".join(lines[-2:]) == "".join(plain_lines[-2:])


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_text_stays_data(name: str) -> None:
    text = HOSTILE[name]
    assert_same_form(question_of(text, "Ada", "Ada", "x", "few_shot"), "few_shot")
    assert_same_form(question_of("t", text, text, text, "zero_shot"), "zero_shot")


@settings(max_examples=30)
@given(ANY, ANY, ANY, ANY)
def test_any_text_stays_data(text: str, word: str, label: str, description: str) -> None:
    assert_same_form(question_of(text, word, label, description, "zero_shot"), "zero_shot")


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
