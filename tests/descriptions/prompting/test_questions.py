"""Which questions there are, in what order they show candidates, and how they shrink."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from mmoe.config.rank import RankParams
from mmoe.descriptions.prompting.question import Question

from tests.descriptions.prompting.written import last_message, writer, written
from tests.descriptions.rows import candidates, mention


def shown(question: Question) -> list[str]:
    """The descriptions in the order shown."""
    lines = last_message(question).partition("<candidates>\n")[2].partition("\n</candidates>")[0]
    return [line.partition(": ")[2] for line in lines.splitlines()]


@settings(max_examples=40)
@given(st.integers(2, 30), st.integers(2, 20), st.text(max_size=5), st.integers(0, 9))
def test_an_option_is_the_candidate_that_was_shown(n: int, most: int, text: str, seed: int) -> None:
    group = candidates("m", *(f"thing {i}" for i in range(n)))
    question = written(mention("m", text), group, shown_candidates=most, seed=seed)
    assert sorted(question.order) == list(range(min(n, most)))
    for option, description in enumerate(shown(question), start=1):
        assert group[question.order[option - 1]].description == description


def test_the_order_is_drawn_by_seed_and_content_alone() -> None:
    """Each place is equally likely: over 2,000 mentions and 4 places 5 standard deviations are 97."""
    mentions = [mention(f"m{i}", f"text {i}") for i in range(2000)]
    groups = {one.mention_id: candidates(one.mention_id, *"pqrs") for one in mentions}
    beside = writer().questions(mentions, groups)
    firsts = Counter(question.order.index(0) for question in beside.values())
    assert all(abs(firsts[place] - 500) < 97 for place in range(4))
    assert written(mentions[7], groups["m7"]) == beside["m7"]
    others = writer(seed=44).questions(mentions[:20], groups)
    assert [q.order for q in others.values()] != [q.order for q in beside.values()][:20]


@pytest.mark.parametrize(
    "changes",
    [
        {"model": "m-2"},
        {"output": "plain"},
        {"prompt": "few_shot"},
        {"base_url": "http://localhost:8000/v1"},
        {"server": "vllm"},
    ],
)
def test_equal_questions_have_one_key_and_others_another(changes: dict[str, Any]) -> None:
    about, group = mention("m", "text"), candidates("m", "x", "y")
    key = written(about, group).request.key
    assert written(mention("n", "text"), group).request.key == key
    assert written(mention("n", "other"), group).request.key != key
    assert written(about, group, **changes).request.key != key


def schema(num_options: int) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {"choice": {"type": "integer", "enum": list(range(num_options + 1))}},
        "required": ["choice"],
        "additionalProperties": False,
    }


STRICT = {
    "type": "json_schema",
    "json_schema": {"name": "pick", "strict": True, "schema": schema(2)},
}
CHOICES = {"structured_outputs": {"choice": [f'{{"choice": {n}}}' for n in range(3)]}}


@pytest.mark.parametrize(
    ("changes", "sent"),
    [
        ({}, {"response_format": STRICT, "max_completion_tokens": 32}),
        ({"server": "ollama"}, {"response_format": STRICT, "max_tokens": 32}),
        ({"server": "vllm"}, {"extra_body": CHOICES, "max_completion_tokens": 32}),
        (
            {"server": "llama.cpp"},
            {"response_format": {"type": "json_object", "schema": schema(2)}, "max_tokens": 32},
        ),
        (
            {"output": "json_object", "server": "ollama"},
            {"response_format": {"type": "json_object"}, "max_tokens": 32},
        ),
        ({"output": "plain"}, {"max_completion_tokens": 32}),
        (
            {"output": "logprobs"},
            {"logprobs": True, "top_logprobs": 20, "max_completion_tokens": 1},
        ),
    ],
)
def test_how_servers_are_held_to_the_form(changes: dict[str, Any], sent: dict[str, Any]) -> None:
    body = written(mention("m"), candidates("m", "x", "y"), **changes).request.body
    assert body.pop("messages")
    assert body == {"model": "m-1", "temperature": 0.0, "seed": 43, **sent}


@pytest.mark.parametrize(
    "changes",
    [{"shown_candidates": 1000}, {"shown_candidates": 21, "output": "logprobs"}],
)
def test_a_number_of_candidates_that_no_server_takes(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=r"shown_candidates(.|\n)*than or equal|at most 20"):
        RankParams(**changes)


def test_a_question_shrinks_to_the_mention_and_then_loses_candidates() -> None:
    about = mention("m", "one two three four five six Ada seven eight nine ten eleven twelve")
    group = candidates("m", *"pqrstuvw")
    writing = writer(order="retrieval")
    question: Question | None = writing.question(about, group)
    seen = []
    while question is not None:
        seen.append((question.context, "".join(shown(question))))
        assert f"<text>{question.context}</text>" in last_message(question)
        question = writing.shorter(question)
    assert seen == [
        (about.context, "pqrstuvw"),
        ("…four five six Ada seven eight…", "pqrstuvw"),
        ("…six Ada…", "pqrstuvw"),
        ("Ada…", "pqrstuvw"),
        ("", "pqrstuvw"),
        ("", "pqrs"),
        ("", "pq"),
    ]
