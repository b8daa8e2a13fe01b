"""What is read from replies, whole and odd."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mmoe.descriptions.llm_client.types import Outcome
from mmoe.descriptions.prompting.answer import Choice, answer_text, read_reply

from tests.descriptions.prompting.written import HOSTILE, reply


@pytest.mark.parametrize(
    ("text", "option", "reason"),
    [
        ('{"choice":2}', 2, "chosen"),
        (' {"choice" : 0}\n', 0, "none"),
        ('{"choice": "2"}', 2, "chosen"),
        ('{"why": "a {brace} and \\"choice\\"", "choice": 3}', 3, "chosen"),
        ('{"choice": 4}', None, "outside the candidates"),
        ('{"choice": 1e300}', None, "outside the candidates"),
        ('{"choice": "Q1"}', None, "not a number"),
        ('{"choice": 1.5}', None, "not a number"),
        ('{"choice": "²"}', None, "not a number"),
        ('{"choice": 1, "choice": 2}', None, "several choices"),
        ("2", 2, "chosen, number alone"),
        ('```json\n{"choice": 1}\n```', 1, "chosen, prose"),
        ('I would say {"choice": 1}.', 1, "chosen, prose"),
        ('<think>is it {2}?</think>\n{"choice": 0}', 0, "none, prose"),
        ('first {"choice": 1}, so {"choice": 1}', None, "several choices"),
        ('so: {"example": {"choice": 1}}', None, "no choice"),
        ("The second one.", None, "no choice"),
        ('{"answer": 2}', None, "no choice"),
        ('{"choice": 2', None, "no choice"),
        ("", None, "empty"),
        (None, None, "empty"),
    ],
)
def test_what_a_text_says(text: str | None, option: int | None, reason: str) -> None:
    assert read_reply(reply(text), 3) == Choice(option, reason)


@pytest.mark.parametrize(
    ("outcome", "text", "option", "reason"),
    [
        ("filtered", '{"choice": 1}', None, "filtered"),
        ("empty", None, None, "empty"),
        ("cut", '{"choice": 1', None, "cut"),
        ("cut", "1", None, "cut"),
        ("cut", 'as {"choice": 1} says', None, "cut"),
        ("cut", '{"choice": 1}' + " " * 50, 1, "chosen"),
        ("gave up", None, None, "failed"),
        ("no completion", '{"choice": 1}', None, "failed"),
    ],
)
def test_what_an_outcome_says(
    outcome: str, text: str | None, option: int | None, reason: str
) -> None:
    assert read_reply(reply(text, outcome), 20) == Choice(option, reason)


def test_every_answer_that_we_ask_for_is_read() -> None:
    assert [read_reply(reply(answer_text(n)), 20).option for n in range(21)] == [*range(21)]


OBJECTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["choice", "a"]), inner),
    max_leaves=8,
).map(json.dumps)
PIECES = st.lists(
    st.sampled_from(["{", "}", '"choice"', ":", "1", "9", "99", "```", "json\n", " ", "so", "A"])
).map("".join)


@given(
    st.text(st.characters(codec=None)) | OBJECTS | PIECES | st.sampled_from(list(HOSTILE.values())),
    st.sampled_from(Outcome),
    st.integers(2, 20),
)
@example('{"choice": ' + "9" * 5000 + "}", "answered", 2)
@example("[" * 100_000, "answered", 2)
@example('{"a":' * 200_000, "answered", 2)
@example("{" * 10**6, "answered", 2)
@example('"choice":' * 10**5, "answered", 2)
def test_no_reply_raises_or_chooses_outside(text: str, outcome: str, n: int) -> None:
    assert read_reply(reply(text, outcome), n).option in {None, *range(n + 1)}
