"""What servers refuse: left out for the whole run, or asked for in a weaker or older form, and counted."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmoe.config.rank import RankParams
from mmoe.descriptions.llm_client.fallbacks import (
    DROPPABLE,
    FORM,
    Fallbacks,
    names_in,
    refused_parameter,
)
from mmoe.descriptions.llm_client.types import Request
from mmoe.descriptions.prompting.answer import output_arguments

from tests.descriptions.llm_client.fake import tricks
from tests.descriptions.llm_client.fake.server import Fake, Trick
from tests.descriptions.llm_client.runs import Clients, request

OPENAI = "Invalid parameter: 'response_format' of type '{}' is not supported with this model."
VLLM = (
    "[{'type': 'extra_forbidden', 'loc': ('body', 'structured_outputs'), 'msg': 'Extra inputs are not "
    "permitted', 'input': {'choice': ['temperature']}}]"
)
XGRAMMAR = "The provided JSON schema contains features not supported by xgrammar."
LLAMA = 'response_format type must be one of "text" or "json_object", but got: json_schema'
OLLAMA = "json: cannot unmarshal object into Go struct field ChatCompletionRequest.response_format"
WORD = "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'."
HELD = {"json_schema", "schema", "structured_outputs"}


def some(number: int, **more: Any) -> list[Request]:
    return [request(f"say {n}", **more) for n in range(number)]


def in_words_of(server: Any, number: int, output: Any = "schema") -> list[Request]:
    return some(number, **output_arguments(2, RankParams(server=server, output=output)))


@pytest.mark.parametrize(
    ("server", "refusal"),
    [
        ("openai", tricks.error(400, OPENAI.format("json_schema"), param="response_format")),
        ("openai", tricks.error(501, "response_format is not implemented")),
        ("openai", tricks.body({"detail": [{"loc": ["response_format"], "msg": "Bad"}]}, 422)),
        ("vllm", tricks.error(400, VLLM, 400, "BadRequestError")),
        ("vllm", tricks.body({"object": "error", "message": XGRAMMAR, "code": 400}, 400)),
        ("llama.cpp", tricks.error(500, LLAMA, 500, "server_error")),
        ("ollama", tricks.error(400, OLLAMA)),
        ("ollama", tricks.error(500, "failed to load model vocabulary required for grammar")),
    ],
)
def test_a_refused_schema_becomes_any_json_with_one_refused_call(
    fake: Fake, client: Clients, server: str, refusal: Trick
) -> None:
    fake.always = tricks.lacking(refusal, *HELD)
    found = client(concurrency=1).complete(in_words_of(server, 9))
    assert found.outcomes == {"answered": 9}
    assert found.left_out == {"schema -> json_object": 9}
    assert found.retries == {"without response_format": 1}
    assert found.calls == 10
    sent = fake.log[-1].body
    assert sent["response_format"] == {"type": "json_object"}
    assert not HELD & set(sent)


@pytest.mark.parametrize("server", ["openai", "vllm", "llama.cpp"])
def test_a_server_that_holds_no_form_is_asked_plainly(
    fake: Fake, client: Clients, server: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    refusal = tricks.error(400, OPENAI.format("any"), param="response_format")
    fake.always = tricks.lacking(refusal, "response_format", "structured_outputs")
    found = client(concurrency=1).complete(in_words_of(server, 9))
    assert found.outcomes == {"answered": 9}
    assert found.left_out == {"schema -> json_object": 1, "schema -> plain": 9}
    assert found.calls == 11
    assert not {"response_format", "structured_outputs"} & set(fake.log[-1].body)
    assert "schema -> plain: 9" in capsys.readouterr().err
    assert found.log()["left_out"] == {"schema -> json_object": 1, "schema -> plain": 9}


@pytest.mark.parametrize(("status", "outcome"), [(400, "bad request"), (500, "gave up")])
def test_a_refusal_of_a_form_that_was_not_asked_for(
    fake: Fake, client: Clients, status: int, outcome: str
) -> None:
    """Nothing is left to try; an error of the server's own is no answer to keep."""
    fake.always = tricks.error(status, LLAMA)
    found = client().complete(in_words_of("llama.cpp", 1, "plain"))
    assert (found.outcomes, found.calls) == ({outcome: 1}, 1)
    kept = client(max_calls=0).complete(in_words_of("llama.cpp", 1, "plain")).cache_hits
    assert kept == (status == 400)


def test_many_refused_at_once_fall_by_one_step(fake: Fake, client: Clients) -> None:
    """Refusals of what is no longer sent must not take the next form away."""
    fake.delay = 0.02
    fake.always = tricks.lacking(tricks.error(400, VLLM), "structured_outputs")
    sending = client(concurrency=8)
    found = sending.complete(in_words_of("vllm", 40))
    assert found.outcomes == {"answered": 40}
    assert found.left_out["schema -> json_object"] == 40
    assert 1 <= fake.statuses()[400] <= 8
    again = sending.complete(in_words_of("vllm", 43)[40:])
    assert (again.calls, again.retries) == (3, {})  # the next round knows


ALL = {"seed": 7, "max_tokens": 5, "logprobs": True, "top_logprobs": 5}


@pytest.mark.parametrize(
    ("refused", "left_out"),
    [
        ({"seed", "temperature"}, ("seed", "temperature")),
        ({"max_tokens"}, ("max_tokens -> max_completion_tokens",)),
        ({"max_completion_tokens", "max_tokens"}, ("max_tokens",)),
        ({"logprobs"}, ("logprobs", "top_logprobs")),
        ({"top_logprobs"}, ("top_logprobs",)),
    ],
)
def test_a_refused_parameter_is_learned_once(
    fake: Fake, client: Clients, refused: set[str], left_out: tuple[str, ...]
) -> None:
    fake.refused = frozenset(refused)
    found = client(concurrency=1).complete(some(9, **ALL))
    assert found.outcomes == {"answered": 9}
    assert {reply.left_out for reply in found.replies.values()} == {left_out}
    assert fake.statuses()[400] == found.retries.total() == found.calls - 9 <= len(refused)
    last, gone = fake.log[-1].body, {name.partition(" ")[0] for name in left_out}
    assert last.items() >= {k: v for k, v in ALL.items() if k not in gone}.items()
    assert not gone & last.keys()
    assert last.get("max_completion_tokens") == (5 if "->" in left_out[0] else None)


NAMES = "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens'."


@pytest.mark.parametrize(
    ("error", "name"),
    [
        ({"code": "unsupported_value", "param": "temperature", "message": ""}, "temperature"),
        ({"message": NAMES}, "max_tokens"),
        ({"message": "Extra inputs are not permitted: seed", "param": "seed"}, "seed"),
        ({"message": "Unsupported parameter: 'seed'", "param": "response_format.x"}, FORM),
        ({"message": WORD}, FORM),
        ({"message": "temperature must be between 0 and 2", "param": "temperature"}, None),
        ({"code": "unsupported_parameter", "param": None, "message": None}, None),
        ({"message": "The text speaks of grammar and json_schema.", "param": "messages"}, None),
        ({}, None),
    ],
)
def test_which_parameter_is_meant(error: dict[str, Any], name: str | None) -> None:
    assert refused_parameter(error) == name


@given(st.lists(st.sampled_from(sorted(DROPPABLE))), st.sets(st.sampled_from(sorted(DROPPABLE))))
def test_refusals_end(refusals: list[str], given: set[str]) -> None:
    """Whatever is refused: each refusal of what was sent changes what is sent next; nothing else does."""
    fallbacks, body = Fallbacks(), dict.fromkeys(given, 1) | {"model": "m"}
    if {"max_tokens", "max_completion_tokens"} <= given:
        del body["max_tokens"]
    for name in refusals:
        sent, _ = fallbacks.fit(body)
        assert fallbacks.refuse(name, names_in(sent)) == (
            name in sent or (name == "logprobs" and "top_logprobs" in sent)
        )
        left, _ = fallbacks.fit(body)
        assert name not in left
        assert left["model"] == "m"
