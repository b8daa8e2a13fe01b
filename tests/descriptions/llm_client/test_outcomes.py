"""What every kind of answer becomes, over real HTTP: outcome, number of calls, what is kept."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from mmoe.descriptions.llm_client import direct
from mmoe.descriptions.llm_client.client import LlmClient
from mmoe.descriptions.llm_client.response import ATTEMPTS
from mmoe.descriptions.llm_client.types import Round

from tests.descriptions.llm_client.fake import tricks
from tests.descriptions.llm_client.fake.server import Fake, Trick
from tests.descriptions.llm_client.runs import Clients, request, requests, stopped_by

LONG = "This model's maximum context length is 512 tokens. However, you requested 600 tokens."


def kept(client: Clients) -> Round:
    """What later runs find without sending anything."""
    return client(max_calls=0).complete([request("say 3")])


def test_an_answer_is_read_whole(fake: Fake, client: Clients) -> None:
    wanted = request("say 3", seed=7, max_completion_tokens=5, extra_body={"top_k": 1})
    found = client().complete([wanted])
    (reply,) = found.replies.values()
    assert (reply.key, reply.outcome, reply.text) == (wanted.key, "answered", "3")
    assert (reply.prompt_tokens, reply.completion_tokens) == (2, 1)
    assert (reply.model, reply.fingerprint, reply.error) == ("m-2026-01-01", "fp_x", None)
    (call,) = fake.log
    sent = dict(wanted.body) | {"top_k": 1}
    del sent["extra_body"]
    assert call.body == sent
    assert call.headers["authorization"] == "Bearer none"
    assert (found.calls, found.cache_hits, found.left, found.stopped) == (1, 0, 0, None)


@pytest.mark.parametrize(
    ("trick", "outcome", "calls", "is_kept"),
    [
        (tricks.says("part", "length"), "cut", 1, True),
        (tricks.says(None, "content_filter"), "filtered", 1, True),
        (tricks.says(None, refusal="I won't."), "refused", 1, True),
        (tricks.says(None, reasoning="so"), "empty", 2, True),
        (tricks.says("```json\n{}\n```"), "answered", 1, True),
        (tricks.without("usage"), "answered", 1, True),
        (tricks.without("choices"), "no completion", 2, False),
        (tricks.body({"error": {"message": "busy", "code": 500}}), "no completion", 2, False),
        (tricks.body(b"[" * 100_000), "no completion", 2, False),
        (tricks.html(200), "no completion", 2, False),
        (tricks.error(400, code="context_length_exceeded"), "context too long", 1, True),
        (tricks.error(400, "", 400, "exceed_context_size_error"), "context too long", 1, True),
        (tricks.error(400, LONG, 400, "BadRequestError"), "context too long", 1, True),
        (tricks.error(400, code="content_filter"), "filtered", 1, True),
        (tricks.error(413), "bad request", 1, True),
        (tricks.body({"detail": [{"msg": "x"}]}, 422), "bad request", 1, True),
        (tricks.error(408), "gave up", ATTEMPTS["fault"], False),
        (tricks.html(502), "gave up", ATTEMPTS["fault"], False),
        (tricks.limited(), "gave up", ATTEMPTS["busy"], False),
        (tricks.hang_up, "gave up", ATTEMPTS["fault"], False),
        (tricks.cut_in_body, "gave up", ATTEMPTS["fault"], False),
    ],
)
def test_an_oddity_is_named_and_tried_again_where_that_helps(
    fake: Fake, client: Clients, trick: Trick, outcome: str, calls: int, is_kept: bool
) -> None:
    fake.always = trick
    found = client().complete([request("say 3")])
    assert (found.outcomes, found.stopped) == ({outcome: 1}, None)
    assert (found.calls, len(fake.log), found.retries.total()) == (calls, calls, calls - 1)
    assert kept(client).replies == (found.replies if is_kept else {})


@pytest.mark.parametrize("trick", [tricks.slow(5), tricks.dripping(0.02)])
def test_a_slow_answer_is_not_waited_for(fake: Fake, client: Clients, trick: Trick) -> None:
    fake.always = trick
    found = client(timeout=0.15).complete([request("say 3")])
    assert found.outcomes == {"gave up": 1}
    assert found.calls == found.retries["time out"] + 1 == ATTEMPTS["time out"]


@pytest.mark.parametrize(
    ("trick", "by", "words"),
    [
        (tricks.error(401, "Incorrect API key", "invalid_api_key"), "key", "OPENAI_API_KEY is not"),
        (tricks.error(403), "permission", "refuses"),
        (tricks.error(404, code="model_not_found"), "model", "rank.model"),
        (tricks.redirect, "address", "rank.base_url"),
        (tricks.quota, "quota", "add money"),
        (tricks.limited(retry_after="3600"), "wait", "3600 s"),
    ],
)
def test_what_concerns_all_requests_ends_the_run_and_keeps_everything(
    fake: Fake, client: Clients, trick: Trick, by: str, words: str
) -> None:
    fake.tricks = dict.fromkeys(range(4, 50), trick)
    found = client(concurrency=1).complete(requests(10))
    assert (stopped_by(found), len(fake.log), found.left) == (by, 4, 7)
    assert words in (found.stopped or "")
    assert "7 questions are left" in (found.stopped or "")
    assert "\n" not in (found.stopped or "")
    fake.tricks = {}
    again = client().complete(requests(10))
    assert (again.cache_hits, again.calls, again.left) == (3, 7, 0)


def test_a_run_that_ends_does_not_sleep_on(fake: Fake, client: Clients) -> None:
    """One request has been told to wait for minutes when another shows that the key is wrong."""
    fake.tricks = {1: tricks.error(500, retry_after="300"), 5: tricks.error(401)}
    begun = time.monotonic()
    found = LlmClient(fake.url, cache_folder=client.folder, concurrency=4).complete(requests(20))
    assert time.monotonic() - begun < 30
    assert stopped_by(found) == "key"
    assert found.calls == len(fake.log) < 20
    assert len(found.replies) == fake.statuses()[200]


def test_a_server_that_is_down_ends_the_run(fake: Fake, client: Clients) -> None:
    fake.always = tricks.error(500)
    found = client(concurrency=2).complete(requests(50))
    assert stopped_by(found) == "server"
    assert len(fake.log) < 50
    assert found.outcomes == {"gave up": len(found.replies)}


def test_one_request_that_breaks_the_server_does_not_end_the_run(
    fake: Fake, client: Clients
) -> None:
    breaks = {f"say {n}" for n in range(0, 40, 10)}
    fake.always = lambda handler: (
        tricks.error(500) if handler.asked().question in breaks else tricks.good
    )(handler)
    found = client(concurrency=1).complete(requests(40))
    assert found.stopped is None
    assert found.outcomes == {"answered": 36, "gave up": 4}


def test_log_probabilities_come_with_an_answer_of_one_token(fake: Fake, client: Clients) -> None:
    fake.always = tricks.label(("A", -0.1), (" B", -9999.0))
    (reply,) = client().complete([request("say 3")]).replies.values()
    assert (reply.outcome, reply.text) == ("cut", "A")
    assert reply.top_tokens == [("A", -0.1), (" B", -9999.0)]
    assert [*kept(client).replies.values()] == [reply]


def test_a_client_whose_round_broke_off_starts_another(
    client: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The calls that were under way are over for it, and may have been billed."""
    again, real = client(), direct.send

    async def broken(_client: object, body: dict[str, Any], _timeout: float) -> None:
        await asyncio.sleep(0.1 if "say 1" in str(body) else 60)
        raise OSError("no space left on device")

    monkeypatch.setattr(direct, "send", broken)
    with pytest.raises(OSError, match="no space"):
        again.complete(requests(12))
    monkeypatch.setattr(direct, "send", real)
    assert len(again.complete(requests(12)).replies) == 12
