"""Parameters that models refuse: left out for the whole run, or under their other name, and counted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmoe.descriptions.llm_client import AskSettings, Request, ask_all
from mmoe.descriptions.llm_client.form import FORM
from mmoe.descriptions.llm_client.parameters import (
    DROPPABLE,
    Parameters,
    names_in,
    refused_parameter,
)

from tests.descriptions.llm_client.fake import tricks
from tests.descriptions.llm_client.fake.server import Fake
from tests.descriptions.llm_client.runs import question

ALL = {
    "seed": 7,
    "response_format": {"type": "json_object"},
    "logprobs": True,
    "top_logprobs": 5,
}


def some(number: int, **more: Any) -> list[Request]:
    return [question(f"say {n}", **more) for n in range(number)]


@pytest.mark.parametrize(
    ("refused", "given", "arrives", "left_out"),
    [
        ({"temperature"}, {}, {}, {"temperature": 9}),
        ({"seed", "temperature"}, {"seed": 7}, {}, {"seed": 10, "temperature": 9}),
        (
            {"max_tokens"},
            {"max_tokens": 5},
            {"temperature": 0, "max_completion_tokens": 5},
            {"max_tokens -> max_completion_tokens": 9},
        ),
        (
            {"max_completion_tokens"},
            {"max_completion_tokens": 5},
            {"temperature": 0, "max_tokens": 5},
            {"max_completion_tokens -> max_tokens": 9},
        ),
        (
            {"max_completion_tokens", "max_tokens"},
            {"max_tokens": 5},
            {"temperature": 0},
            {"max_tokens -> max_completion_tokens": 1, "max_tokens": 9},
        ),
        ({"response_format"}, ALL, None, {"json_object -> plain": 9}),
        ({"logprobs"}, ALL, None, {"logprobs": 9, "top_logprobs": 9}),
        ({"top_logprobs"}, ALL, None, {"top_logprobs": 9}),
    ],
)
def test_a_refused_parameter_is_learned_once(
    fake: Fake,
    settings: AskSettings,
    refused: set[str],
    given: dict[str, Any],
    arrives: dict[str, Any] | None,
    left_out: dict[str, int],
) -> None:
    fake.refused = frozenset(refused)
    settings = replace(settings, concurrency=1, max_concurrency=1)
    asked = ask_all(some(9, **given), settings)
    assert asked.outcomes == {"answered": 9}
    assert {name: asked.left_out[name] for name in left_out} == left_out
    assert fake.statuses()[400] == asked.retries.total() == asked.calls - 9
    assert fake.statuses()[400] <= len(refused)
    told = {reply.left_out for reply in asked.replies.values()}
    assert told == {tuple(sorted(name for name, n in left_out.items() if n >= 9))}
    last = {k: v for k, v in fake.log[-1].body.items() if k not in ("model", "messages")}
    if arrives is None:
        dropped = {*left_out, *refused}
        arrives = {k: v for k, v in {**given, "temperature": 0}.items() if k not in dropped}
    assert last == arrives


def test_many_at_once_learn_it_together(fake: Fake, settings: AskSettings) -> None:
    fake.refused, fake.delay = frozenset({"temperature"}), 0.02
    asked = ask_all(some(30), settings)
    assert asked.outcomes == {"answered": 30}
    assert 1 <= fake.statuses()[400] <= settings.concurrency


def test_a_refusal_of_what_was_not_sent_is_a_bad_request(fake: Fake, settings: AskSettings) -> None:
    fake.always = tricks.error(400, code="unsupported_parameter", param="seed")
    asked = ask_all(some(1), settings)
    assert asked.outcomes == {"bad request": 1}
    assert asked.calls == 1


@pytest.mark.parametrize(
    ("error", "name"),
    [
        ({"code": "unsupported_value", "param": "temperature", "message": ""}, "temperature"),
        ({"message": "Unsupported parameter: 'max_tokens'. Use 'x'."}, "max_tokens"),
        (
            {"message": "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens'."},
            "max_tokens",
        ),
        (
            {"code": 400, "message": "logprobs are not supported for reasoning models"},
            "logprobs",
        ),
        ({"message": "Extra inputs are not permitted: seed", "param": "seed"}, "seed"),
        ({"message": "Unknown parameter: 'top_logprobs'"}, "top_logprobs"),
        ({"message": "Unsupported parameter: 'seed'", "param": "response_format.x"}, FORM),
        ({"message": "temperature must be between 0 and 2", "param": "temperature"}, None),
        ({"code": "unsupported_parameter", "param": "messages"}, None),
        ({"code": "unsupported_parameter", "param": None, "message": None}, None),
        ({}, None),
    ],
)
def test_who_is_meant(error: dict[str, Any], name: str | None) -> None:
    assert refused_parameter(error) == name


@given(st.lists(st.sampled_from(sorted(DROPPABLE))), st.sets(st.sampled_from(sorted(DROPPABLE))))
def test_refusals_end(refusals: list[str], given: set[str]) -> None:
    """Whatever is refused: each refusal of what was sent changes what is sent next; nothing else does."""
    parameters, body = Parameters(), dict.fromkeys(given, 1) | {"model": "m"}
    if {"max_tokens", "max_completion_tokens"} <= given:
        del body["max_tokens"]
    for name in refusals:
        sent = parameters.fit(body)
        assert parameters.refuse(name, names_in(sent)) == (
            name in sent or (name == "logprobs" and "top_logprobs" in sent)
        )
        assert name not in parameters.fit(body)
        assert parameters.fit(body)["model"] == "m"
