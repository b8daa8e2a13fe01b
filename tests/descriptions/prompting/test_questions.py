"""Which questions there are, in what order they show candidates, and how they shrink."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmoe.descriptions.prompting import PromptSettings, QuestionWriter, questions_for
from mmoe.descriptions.prompting.question import Question
from mmoe.errors import RankingError

from tests.descriptions.prompting.asked import asked, last_message, settings
from tests.descriptions.rows import candidates, mention


def shown(question: Question) -> list[str]:
    """The descriptions in the order shown."""
    lines = last_message(question).partition("<candidates>\n")[2].partition("\n</candidates>")[0]
    return [line.partition(": ")[2] for line in lines.splitlines()]


def test_nothing_is_asked_where_there_is_no_choice() -> None:
    mentions = [mention(name) for name in "abc"]
    groups = {"b": candidates("b", "x"), "c": candidates("c", "x", "y")}
    assert [q.mention_id for q in questions_for(mentions, groups, settings())] == ["c"]


def test_retrievals_order() -> None:
    question = asked(mention("m"), candidates("m", *"pqrst"), order="retrieval", max_candidates=3)
    assert (question.order, shown(question)) == ((0, 1, 2), ["p", "q", "r"])


@given(st.integers(2, 30), st.integers(2, 20), st.text(max_size=5), st.integers(0, 9))
def test_an_option_is_the_candidate_that_was_shown(n: int, most: int, text: str, seed: int) -> None:
    group = candidates("m", *(f"thing {i}" for i in range(n)))
    question = asked(mention("m", text), group, max_candidates=most, seed=seed)
    assert sorted(question.order) == list(range(min(n, most)))
    for option, description in enumerate(shown(question), start=1):
        position = question.position(option)
        assert position is not None
        assert group[position].description == description
    assert question.position(0) is None


def test_the_order_depends_on_seed_and_content_alone() -> None:
    group = candidates("m", *"pqrstu")
    one = asked(mention("m", "a text"), group)
    others = [mention(f"n{i}", f"text {i}") for i in range(20)]
    groups = {other.mention_id: candidates(other.mention_id, *"pqrstu") for other in others}
    beside = questions_for([*others, mention("m", "a text")], groups | {"m": group}, settings())
    assert beside[-1] == one
    assert len({question.order for question in beside}) > 10
    assert asked(mention("m", "a text"), group, seed=44).order != one.order


def test_each_place_is_equally_likely() -> None:
    """Over 2,000 mentions and 4 places; 5 standard deviations are 97."""
    group = candidates("m", *"pqrs")
    writer = QuestionWriter(settings())
    firsts = Counter(
        writer.question(mention("m", f"text {i}"), group).order.index(0) for i in range(2000)
    )
    assert all(abs(firsts[place] - 500) < 97 for place in range(4))


def test_equal_questions_have_one_key() -> None:
    mentions = [mention("a", "same"), mention("b", "same"), mention("c", "other")]
    groups = {name: candidates(name, "x", "y") for name in "abc"}
    first, second, third = questions_for(mentions, groups, settings())
    assert first.request == second.request
    assert third.request.key != first.request.key


@pytest.mark.parametrize(
    "changes",
    [
        {"model": "m-2"},
        {"seed": 1},
        {"temperature": None},
        {"output": "plain"},
        {"prompt": "few_shot"},
        {"base_url": "http://localhost:8000/v1"},
        {"max_tokens": 33},
        {"server": "vllm"},
    ],
)
def test_another_question_has_another_key(changes: dict[str, Any]) -> None:
    about, group = mention("m", "text"), candidates("m", "x", "y")
    assert asked(about, group, **changes).request.key != asked(about, group).request.key


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
            {"output": "json_object", "token_parameter": "max_tokens"},
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
    body = asked(mention("m"), candidates("m", "x", "y"), **changes).request.body
    assert body.pop("messages")
    assert body == {"model": "m-1", "temperature": 0.0, "seed": 43, **sent}


def test_a_temperature_that_is_not_sent() -> None:
    body = asked(mention("m"), candidates("m", "x", "y"), temperature=None).request.body
    assert "temperature" not in body


def test_a_schema_never_lists_more_than_a_server_takes() -> None:
    group = candidates("m", *(str(i) for i in range(1500)))
    body = asked(mention("m"), group, max_candidates=999).request.body
    enum = body["response_format"]["json_schema"]["schema"]["properties"]["choice"]["enum"]
    assert len(enum) == 1000


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"server": "tgi"}, "rank.server: no 'tgi'; use one of openai, vllm, llama.cpp, ollama"),
        ({"output": "xml"}, "rank.output: no 'xml'"),
        ({"order": "random"}, "rank.order: no 'random'"),
        ({"token_parameter": "length"}, "rank.token_parameter: no 'length'"),
        ({"max_candidates": 1}, "rank.max_candidates: 1 is not in [2, 999]"),
        ({"max_candidates": 1000}, "rank.max_candidates: 1000 is not in [2, 999]"),
        ({"max_candidates": 21, "output": "logprobs"}, "21 is not in [2, 20]"),
        ({"max_context": 0}, "rank.max_context: 0 is below 1"),
        ({"max_tokens": 0}, "rank.max_tokens: 0 is below 1"),
    ],
)
def test_a_setting_that_is_not_legal(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(RankingError) as caught:
        settings(**changes)
    assert why in str(caught.value)


def test_a_question_shrinks_to_the_mention_and_then_loses_candidates() -> None:
    about = mention("m", "one two three four five six Ada seven eight nine ten eleven twelve")
    group = candidates("m", *"pqrstuvw")
    writer = QuestionWriter(settings(order="retrieval"))
    question: Question | None = writer.question(about, group)
    seen = []
    while question is not None:
        seen.append((question.context, "".join(shown(question))))
        assert f"<text>{question.context}</text>" in last_message(question)
        question = writer.shorter(question, about, group)
    assert seen == [
        (about.context, "pqrstuvw"),
        ("…four five six Ada seven eight…", "pqrstuvw"),
        ("…six Ada…", "pqrstuvw"),
        ("Ada…", "pqrstuvw"),
        ("", "pqrstuvw"),
        ("", "pqrs"),
        ("", "pq"),
    ]


@given(st.text(max_size=80), st.text(max_size=10), st.integers(2, 12))
def test_shrinking_ends_and_maps_back_exactly(context: str, word: str, n: int) -> None:
    about, group = (
        mention("m", context, surface_form=word),
        candidates("m", *(f"d{i}" for i in range(n))),
    )
    writer = QuestionWriter(settings(max_context=50))
    question: Question | None = writer.question(about, group)
    steps = 0
    while question is not None:
        assert [group[p].description for p in question.order] == shown(question)
        last, steps = question, steps + 1
        question = writer.shorter(last, about, group)
    assert (last.context, set(last.order)) == ("", {0, 1})
    assert steps < 15


def test_long_contexts_names_and_descriptions_are_cut() -> None:
    about = mention("m", "x " * 5000 + "Ada" + " y" * 5000)
    group = [replace(c, label="L" * 5000) for c in candidates("m", "d" * 5000, "e")]
    question = asked(about, group, max_context=100)
    assert len(question.context) <= 100
    assert "Ada" in question.context
    assert len(last_message(question)) < 1200


def test_settings_have_defaults_that_are_legal() -> None:
    assert PromptSettings(model="m").tokens_name == "max_completion_tokens"
