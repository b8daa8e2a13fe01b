"""Whatever a text or a candidate says, the question keeps its form."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmoe.descriptions.prompting.question import Question
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
