"""Servers that refuse to hold an answer to its form: a weaker one is asked for, for the whole run."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmoe.descriptions.llm_client import AskSettings, Request, ask_all, ask_batch
from mmoe.descriptions.llm_client.form import FORM, form_of, in_form
from mmoe.descriptions.llm_client.parameters import refused_parameter
from mmoe.descriptions.prompting import PromptSettings
from mmoe.descriptions.prompting.output import output_arguments

from tests.descriptions.llm_client.fake import tricks
from tests.descriptions.llm_client.fake.batches import answered, responded
from tests.descriptions.llm_client.fake.server import Fake, Trick
from tests.descriptions.llm_client.runs import QuickClock, question

OPENAI = "Invalid parameter: 'response_format' of type '{}' is not supported with this model."
VLLM = (
    "[{'type': 'extra_forbidden', 'loc': ('body', 'structured_outputs'), 'msg': 'Extra inputs are not "
    "permitted', 'input': {'choice': ['temperature']}}]"
)
LLAMA = 'response_format type must be one of "text" or "json_object", but got: json_schema'
OLLAMA = "json: cannot unmarshal object into Go struct field ChatCompletionRequest.response_format"
WORD = "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'."
HELD = {"json_schema", "schema", "structured_outputs"}


def some(number: int, server: str, output: str = "schema") -> list[Request]:
    form = output_arguments(2, PromptSettings(model="m", server=server, output=output))
    return [question(f"say {n}", **form) for n in range(number)]


def one_by_one(settings: AskSettings) -> AskSettings:
    return replace(settings, concurrency=1, max_concurrency=1)


@pytest.mark.parametrize(
    ("server", "refusal"),
    [
        ("openai", tricks.error(400, OPENAI.format("json_schema"), param="response_format")),
        ("openai", tricks.error(400, "invalid value: `json_schema`, supported: `json_object`")),
        ("openai", tricks.error(400, "Invalid schema for response_format 'pick'", "invalid")),
        ("openai", tricks.error(501, "response_format is not implemented")),
        (
            "openai",
            tricks.body(
                {"detail": [{"loc": ["body", "response_format", "type"], "msg": "Bad"}]}, 422
            ),
        ),
        ("vllm", tricks.error(400, VLLM, 400, "BadRequestError")),
        ("vllm", tricks.error(400, "Structured outputs are not supported here", 400, "ValueError")),
        (
            "vllm",
            tricks.body(
                {
                    "object": "error",
                    "message": "The provided JSON schema contains features not supported by xgrammar.",
                    "code": 400,
                },
                400,
            ),
        ),
        ("llama.cpp", tricks.error(500, LLAMA, 500, "server_error")),
        ("llama.cpp", tricks.error(400, "Failed to parse grammar", 400)),
        ("ollama", tricks.error(400, OLLAMA)),
        ("ollama", tricks.error(500, "failed to load model vocabulary required for grammar")),
    ],
)
def test_a_refused_schema_becomes_any_json_with_one_refused_call(
    fake: Fake, settings: AskSettings, server: str, refusal: Trick
) -> None:
    fake.always = tricks.lacking(refusal, *HELD)
    asked = ask_all(some(9, server), one_by_one(settings))
    assert asked.outcomes == {"answered": 9}
    assert asked.left_out == {"schema -> json_object": 9}
    assert asked.retries == {"without response_format": 1}
    assert asked.calls == 10
    sent = fake.log[-1].body
    assert sent["response_format"] == {"type": "json_object"}
    assert not HELD & set(sent)


@pytest.mark.parametrize("server", ["openai", "vllm", "llama.cpp", "ollama"])
def test_a_server_that_holds_no_form_is_asked_plainly(
    fake: Fake, settings: AskSettings, server: str, capsys: pytest.CaptureFixture[str]
) -> None:
    refusal = tricks.error(400, OPENAI.format("any"), param="response_format")
    fake.always = tricks.lacking(refusal, "response_format", "structured_outputs")
    asked = ask_all(some(9, server), one_by_one(settings))
    assert asked.outcomes == {"answered": 9}
    assert asked.left_out == {"schema -> json_object": 1, "schema -> plain": 9}
    assert asked.calls == 11
    assert not {"response_format", "structured_outputs"} & set(fake.log[-1].body)
    assert "schema -> plain: 9" in capsys.readouterr().err
    assert asked.log()["left_out"] == {"schema -> json_object": 1, "schema -> plain": 9}


def test_a_prompt_without_the_word_json_is_asked_plainly(fake: Fake, settings: AskSettings) -> None:
    fake.always = tricks.lacking(tricks.error(400, WORD, param="messages"), "json_object")
    asked = ask_all(some(9, "openai", "json_object"), one_by_one(settings))
    assert asked.outcomes == {"answered": 9}
    assert asked.left_out == {"json_object -> plain": 9}


@pytest.mark.parametrize(("status", "outcome"), [(400, "bad request"), (500, "gave up")])
def test_a_refusal_of_a_form_that_was_not_asked_for(
    fake: Fake, settings: AskSettings, status: int, outcome: str
) -> None:
    """Nothing is left to try; an error of the server's own is no answer to keep."""
    fake.always = tricks.error(status, LLAMA)
    asked = ask_all(some(1, "llama.cpp", "plain"), settings)
    assert (asked.outcomes, asked.calls) == ({outcome: 1}, 1)
    kept = ask_all(some(1, "llama.cpp", "plain"), replace(settings, offline=True)).cache_hits
    assert kept == (status == 400)


def test_many_refused_at_once_fall_by_one_step(fake: Fake, settings: AskSettings) -> None:
    """Refusals of what is no longer sent must not take the next form away."""
    fake.delay = 0.02
    fake.always = tricks.lacking(tricks.error(400, VLLM), "structured_outputs")
    asked = ask_all(some(40, "vllm"), settings)
    assert asked.outcomes == {"answered": 40}
    assert asked.left_out == {"schema -> json_object": 40}
    assert 1 <= fake.statuses()[400] <= settings.concurrency


def test_the_next_questions_know_what_was_refused(fake: Fake, settings: AskSettings) -> None:
    fake.always = tricks.lacking(tricks.error(400, VLLM), "structured_outputs")
    refused: set[str] = set()
    ask_all(some(3, "vllm"), one_by_one(settings), refused=refused)
    assert refused == {"schema"}
    again = ask_all(some(9, "vllm")[3:], one_by_one(settings), refused=refused)
    assert (again.calls, again.retries) == (6, {})
    assert again.left_out == {"schema -> json_object": 6}


def test_a_form_that_a_batch_refuses_is_left_out_of_the_next(
    fake: Fake, settings: AskSettings, time_of: QuickClock
) -> None:
    error = {"error": {"message": OPENAI.format("json_schema"), "param": "response_format"}}

    def work(line: dict[str, Any], _: int) -> tuple[list[Any], list[Any]]:
        if line["body"]["response_format"]["type"] == "json_schema":
            return [], [responded(line, 400, error)]
        return [answered(line)], []

    fake.batches.work = work
    asked = ask_batch(some(5, "openai"), settings, clock=time_of.clock())
    assert asked.outcomes == {"answered": 5}
    assert asked.left_out == {"schema -> json_object": 5}
    assert {reply.left_out for reply in asked.replies.values()} == {("schema -> json_object",)}
    assert len(fake.batches.batches) == 2


@pytest.mark.parametrize(
    "error",
    [
        {"message": "The text speaks of grammar and of json_schema.", "param": "messages"},
        {"message": "Field required: body.model", "param": "body.model"},
        {"message": "CUDA error: out of memory"},
    ],
)
def test_other_errors_leave_the_form_alone(error: dict[str, Any]) -> None:
    assert refused_parameter(error) is None


@pytest.mark.parametrize("server", ["openai", "vllm", "llama.cpp", "ollama"])
def test_what_is_sent_besides_stays(server: str) -> None:
    (request,) = some(1, server)
    body = request.body | {"extra_body": {**request.body.get("extra_body", {}), "top_k": 1}}
    assert form_of(body) == "schema"
    for form in ("json_object", "plain"):
        weaker = in_form(body, form)
        assert form_of(weaker) == form
        assert weaker["extra_body"] == {"top_k": 1}
        assert weaker["messages"] == body["messages"]


@given(st.text(), st.text(), st.sampled_from([None, "", 400, "unsupported_parameter"]))
def test_any_words_name_a_parameter_or_none(message: str, param: str, code: object) -> None:
    error = {"message": message, "param": param, "code": code}
    named = refused_parameter(error)
    assert named is None or named == FORM or named in (message + param).lower()
