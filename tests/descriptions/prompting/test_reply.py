"""What is read from replies, whole and odd."""

from __future__ import annotations

import json
import math

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
    for output in ("schema", "json_object", "plain"):
        assert read_reply(reply(text), 3, output) == Choice(option, reason)


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


@pytest.mark.parametrize("output", ["schema", "json_object", "plain", "logprobs"])
@pytest.mark.parametrize("n", [2, 9, 10, 20])
def test_every_answer_that_we_ask_for_is_read(output: str, n: int) -> None:
    for option in range(n + 1):
        text = answer_text(option, n, output)
        assert read_reply(reply(text), n, output).option == option


OBJECTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["choice", "a"]), inner),
    max_leaves=8,
).map(json.dumps)
PIECES = st.lists(
    st.sampled_from(["{", "}", '"choice"', ":", "1", "9", "99", "```", "json\n", " ", "so", "A"])
).map("".join)


LOGS = st.lists(
    st.tuples(st.text(max_size=3) | st.sampled_from("0123ABC"), st.floats()), max_size=20
)


@given(
    st.text(st.characters(codec=None)) | OBJECTS | PIECES | st.sampled_from(list(HOSTILE.values())),
    st.sampled_from(Outcome),
    LOGS,
    st.integers(2, 20),
    st.sampled_from(["schema", "logprobs"]),
)
@example('{"choice": ' + "9" * 5000 + "}", "answered", [], 2, "schema")
@example("[" * 100_000, "answered", [], 2, "schema")
@example('{"a":' * 200_000, "answered", [], 2, "schema")
@example("{" * 10**6, "answered", [], 2, "schema")
@example('"choice":' * 10**5, "answered", [], 2, "schema")
def test_no_reply_raises_or_chooses_outside(
    text: str, outcome: str, logs: list[tuple[str, float]], n: int, output: str
) -> None:
    choice = read_reply(reply(text, outcome, logs), n, output)
    assert choice.option is None or choice.option in range(n + 1)
    if choice.confidence is not None:
        assert choice.option is not None
        assert 0 < choice.confidence <= 1 + 1e-12


def test_a_choice_by_log_probabilities() -> None:
    """Probabilities of A 0.6 in three spellings, of C 0.1, none 0.1, the rest elsewhere."""
    tokens = [("A", 0.3), (" A", 0.2), ("a", 0.1), ("▁C", 0.1), ("0", 0.1), ("The", 0.2)]
    logs = [(token, math.log(p)) for token, p in tokens] + [("B", -9999.0)]
    choice = read_reply(reply("A", "cut", logs), 12, "logprobs")
    assert (choice.option, choice.reason) == (1, "chosen")
    assert choice.confidence == pytest.approx(0.6 / 0.8)


@pytest.mark.parametrize(
    ("text", "logs", "expected"),
    [
        ("The", [("The", -0.1), ("I", -2.0)], Choice(None, "no choice")),
        ("5", [("5", -0.1)], Choice(None, "no choice")),
        ("1", [("The", -0.1), ("I", -2.0)], Choice(1, "chosen, no log-probabilities")),
        ("0", [("1", -9999.0)], Choice(0, "none, no log-probabilities")),
        ("1", [("1", math.nan), ("2", -math.inf)], Choice(1, "chosen, no log-probabilities")),
        ("1", [("1", 5.0), ("3", math.inf), ("2", -0.1)], Choice(2, "chosen", 1.0)),
        (" 2.", None, Choice(2, "chosen, no log-probabilities")),
        ("", None, Choice(None, "empty")),
        ("", [("2", -1.0), ("1", -1.0)], Choice(1, "chosen", 0.5)),
    ],
)
def test_log_probabilities_that_are_odd(
    text: str, logs: list[tuple[str, float]] | None, expected: Choice
) -> None:
    assert read_reply(reply(text, "cut", logs), 3, "logprobs") == expected
