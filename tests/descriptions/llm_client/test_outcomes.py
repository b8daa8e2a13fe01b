"""What every kind of answer becomes, over real HTTP: outcome, number of calls, what is kept."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mmoe.descriptions.llm_client import Asked, AskSettings, ask_all
from mmoe.descriptions.llm_client.run import ATTEMPTS, BUSY_ATTEMPTS, TIME_OUTS

from tests.descriptions.llm_client.fake import tricks
from tests.descriptions.llm_client.fake.server import Fake, Trick
from tests.descriptions.llm_client.runs import QuickClock, question, questions

LONG = "This model's maximum context length is 512 tokens. However, you requested 600 tokens."


def ask_one(fake: Fake, settings: AskSettings, time_of: QuickClock, trick: Trick) -> Asked:
    fake.always = trick
    return ask_all([question("say 3")], settings, clock=time_of.clock())


def test_an_answer_is_read_whole(fake: Fake, settings: AskSettings) -> None:
    request = question("say 3", seed=7, max_completion_tokens=5, extra_body={"top_k": 1})
    asked = ask_all([request], settings)
    (reply,) = asked.replies.values()
    assert (reply.key, reply.outcome, reply.text) == (request.key, "answered", "3")
    assert (reply.prompt_tokens, reply.completion_tokens) == (2, 1)
    assert (reply.model, reply.fingerprint, reply.error) == ("m-2026-01-01", "fp_x", None)
    (call,) = fake.log
    sent = dict(request.body) | {"top_k": 1}
    del sent["extra_body"]
    assert call.body == sent
    assert call.headers["authorization"] == "Bearer none"
    assert (asked.calls, asked.cache_hits, asked.left, asked.stopped) == (1, 0, 0, None)


@pytest.mark.parametrize(
    ("trick", "outcome", "calls", "is_kept"),
    [
        (tricks.says("", "length"), "cut", 1, True),
        (tricks.says("part", "length"), "cut", 1, True),
        (tricks.says(None, "content_filter"), "filtered", 1, True),
        (tricks.says(None, refusal="I won't."), "refused", 1, True),
        (tricks.says(None), "empty", 2, True),
        (tricks.says(None, reasoning="so"), "empty", 2, True),
        (tricks.says("```json\n{}\n```"), "answered", 1, True),
        (tricks.says("x", "eos_token"), "answered", 1, True),
        (tricks.without("usage"), "answered", 1, True),
        (tricks.without("choices"), "no choices", 2, False),
        (tricks.body({"choices": []}), "no choices", 2, False),
        (tricks.body({"choices": [None]}), "no choices", 2, False),
        (tricks.body({"error": {"message": "busy", "code": 500}}), "error reply", 2, False),
        (tricks.body({"error": "busy"}), "error reply", 2, False),
        (tricks.body(b'{"choices": [{"mess'), "not json", 2, False),
        (tricks.body(b"[" * 100_000), "not json", 2, False),
        (tricks.body(b"\xff\x00"), "not json", 2, False),
        (tricks.html(200), "not json", 2, False),
        (tricks.error(400, code="context_length_exceeded"), "context too long", 1, True),
        (
            tricks.error(400, kind="exceed_context_size_error", code=400),
            "context too long",
            1,
            True,
        ),
        (tricks.error(400, LONG, 400, "BadRequestError"), "context too long", 1, True),
        (tricks.error(400, code="content_filter"), "filtered", 1, True),
        (tricks.error(400, code="invalid_json_schema"), "bad request", 1, True),
        (tricks.error(413), "bad request", 1, True),
        (tricks.error(418), "bad request", 1, True),
        (tricks.detail, "bad request", 1, True),
        (tricks.error(408), "gave up", ATTEMPTS, False),
        (tricks.error(409), "gave up", ATTEMPTS, False),
        (tricks.error(500), "gave up", ATTEMPTS, False),
        (tricks.error(501), "gave up", ATTEMPTS, False),
        (tricks.html(502), "gave up", ATTEMPTS, False),
        (tricks.limited(), "gave up", BUSY_ATTEMPTS, False),
        (tricks.error(500, x_should_retry="false"), "gave up", 1, False),
        (tricks.limited(x_should_retry="false"), "gave up", 1, False),
        (tricks.error(400, x_should_retry="true"), "gave up", ATTEMPTS, False),
        (tricks.hang_up, "gave up", ATTEMPTS, False),
        (tricks.cut_in_body, "gave up", ATTEMPTS, False),
    ],
)
def test_an_oddity_is_named_and_tried_again_where_that_helps(
    fake: Fake,
    settings: AskSettings,
    time_of: QuickClock,
    trick: Trick,
    outcome: str,
    calls: int,
    is_kept: bool,
) -> None:
    asked = ask_one(fake, settings, time_of, trick)
    assert (asked.outcomes, asked.stopped) == ({outcome: 1}, None)
    assert (asked.calls, len(fake.log), asked.retries.total()) == (calls, calls, calls - 1)
    again = ask_all([question("say 3")], replace(settings, offline=True))
    assert again.cache_hits == is_kept
    assert again.replies == (asked.replies if is_kept else {})


@pytest.mark.parametrize(
    "trick",
    [
        tricks.error(408),
        tricks.error(409),
        tricks.error(500),
        tricks.error(529),
        tricks.limited(retry_after="1"),
        tricks.hang_up,
        tricks.cut_in_body,
        tricks.html(200),
        tricks.says(None),
    ],
)
def test_what_passes_is_outlasted(
    fake: Fake, settings: AskSettings, time_of: QuickClock, trick: Trick
) -> None:
    fake.tricks = {1: trick}
    asked = ask_all([question("say 3")], settings, clock=time_of.clock())
    assert [reply.text for reply in asked.replies.values()] == ["3"]
    assert (asked.calls, asked.retries.total()) == (2, 1)


@pytest.mark.parametrize("trick", [tricks.slow(5), tricks.dripping(0.02)])
def test_a_slow_answer_is_not_waited_for(
    fake: Fake, settings: AskSettings, time_of: QuickClock, trick: Trick
) -> None:
    asked = ask_one(fake, replace(settings, timeout=0.15), time_of, trick)
    assert asked.outcomes == {"gave up": 1}
    assert (asked.calls, asked.retries) == (TIME_OUTS, {"time out": TIME_OUTS - 1})


@pytest.mark.parametrize(
    ("trick", "by", "words"),
    [
        (tricks.error(401, "Incorrect API key", "invalid_api_key"), "key", "OPENAI_API_KEY is not"),
        (tricks.error(403), "permission", "refuses"),
        (tricks.unknown_model, "model", "rank.model"),
        (tricks.html(404), "model", "rank.base_url"),
        (tricks.error(405), "model", "rank.base_url"),
        (tricks.redirect, "address", "rank.base_url"),
        (tricks.quota, "quota", "add money"),
        (tricks.error(402), "quota", "add money"),
        (tricks.body({"error": {"code": "insufficient_quota"}}), "quota", "add money"),
        (tricks.limited(retry_after="3600"), "wait", "3600 s"),
    ],
)
def test_what_concerns_all_questions_ends_the_run_and_keeps_everything(
    fake: Fake, settings: AskSettings, time_of: QuickClock, trick: Trick, by: str, words: str
) -> None:
    settings = replace(settings, concurrency=1, max_concurrency=1)
    fake.tricks = dict.fromkeys(range(4, 50), trick)
    asked = ask_all(questions(10), settings, clock=time_of.clock())
    assert (asked.stopped_by, len(fake.log), asked.left) == (by, 4, 7)
    assert words in (asked.stopped or "")
    assert "7 questions are left" in (asked.stopped or "")
    assert "\n" not in (asked.stopped or "")
    fake.tricks = {}
    again = ask_all(questions(10), settings, clock=time_of.clock())
    assert (again.cache_hits, again.calls, again.left) == (3, 7, 0)


def test_a_server_that_is_down_ends_the_run(
    fake: Fake, settings: AskSettings, time_of: QuickClock
) -> None:
    fake.always = tricks.error(500)
    asked = ask_all(questions(50), replace(settings, concurrency=2), clock=time_of.clock())
    assert asked.stopped_by == "server"
    assert len(fake.log) < 50
    assert asked.outcomes == {"gave up": len(asked.replies)}


def test_one_question_that_breaks_the_server_does_not_end_the_run(
    fake: Fake, settings: AskSettings, time_of: QuickClock
) -> None:
    fake.by_question = {f"say {n}": tricks.error(500) for n in range(0, 40, 10)}
    settings = replace(settings, concurrency=1, max_concurrency=1)
    asked = ask_all(questions(40), settings, clock=time_of.clock())
    assert asked.stopped is None
    assert asked.outcomes == {"answered": 36, "gave up": 4}


def test_log_probabilities_come_with_an_answer_of_one_token(
    fake: Fake, settings: AskSettings, time_of: QuickClock
) -> None:
    asked = ask_one(fake, settings, time_of, tricks.label(("A", -0.1), (" B", -9999.0)))
    (reply,) = asked.replies.values()
    assert (reply.outcome, reply.text) == ("cut", "A")
    assert reply.top_tokens == [("A", -0.1), (" B", -9999.0)]
    (kept,) = ask_all([question("say 3")], replace(settings, offline=True)).replies.values()
    assert kept == reply


def test_half_a_character_does_not_break_what_comes_after(
    fake: Fake, settings: AskSettings, time_of: QuickClock
) -> None:
    content = b'{"choices": [{"message": {"content": "x\\ud83d"}}]}'
    asked = ask_one(fake, settings, time_of, tricks.body(content))
    (reply,) = asked.replies.values()
    assert reply.text == "x?"
    assert asked.oddities == {"no usage": 1}
