"""How fast requests are sent, and for how much money: estimated, compared before a call, never overdrawn."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate
from typing import Any

import pytest

from mmoe.descriptions.llm_client.budget import IMAGE_TOKENS, prompt_tokens_of
from mmoe.descriptions.llm_client.types import Request
from mmoe.retry_after import retry_after

from tests.descriptions.llm_client.fake import tricks
from tests.descriptions.llm_client.fake.server import Fake, Trick
from tests.descriptions.llm_client.runs import (
    STARTED,
    Clients,
    QuickClock,
    request,
    requests,
    stopped_by,
)

PRICES: dict[str, Any] = {"price_prompt": 1.0, "price_completion": 10.0}
CALL = 29e-6  # of `some`, as it is estimated: 9 tokens of prompt, 2 of completion
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 400_000}}


def some(number: int) -> list[Request]:
    return [request(f"please say {n}", max_completion_tokens=2) for n in range(number)]


def test_money_is_what_the_server_counted(fake: Fake, client: Clients) -> None:
    found = client(**PRICES).complete(some(20))
    assert found.spent_usd == pytest.approx(20 * (3 * 1 + 1 * 10) / 1e6)
    assert client(**PRICES).complete(some(20)).spent_usd == 0
    assert client().complete(some(20)).spent_usd is None


def test_a_run_begins_with_few_requests_in_flight(fake: Fake, client: Clients) -> None:
    arrived, release = threading.Semaphore(0), threading.Event()
    fake.always = tricks.held(arrived, release)
    with ThreadPoolExecutor(1) as pool:
        run = pool.submit(client().complete, some(40))
        try:
            for _ in range(8):
                assert arrived.acquire(timeout=20)
            assert not arrived.acquire(timeout=0.3)
        finally:
            release.set()
        assert run.result().left == 0


@pytest.mark.parametrize("concurrency", [1, 8])
def test_the_cost_stops_the_run_before_it_is_passed(
    fake: Fake, client: Clients, concurrency: int
) -> None:
    most = 100e-6
    found = client(concurrency=concurrency, max_cost_usd=most, **PRICES).complete(some(50))
    assert stopped_by(found) == "max_cost_usd"
    assert found.spent_usd is not None
    assert most - CALL <= found.spent_usd <= most
    assert found.left == 50 - len(fake.log) > 0
    assert found.stopped is not None
    assert found.stopped.startswith("llm.max_cost_usd is reached")
    rest = client(**PRICES).complete(some(50))
    assert (rest.cache_hits, rest.left) == (50 - found.left, 0)
    assert len(fake.log) == 50


def test_calls_that_fail_count_too(fake: Fake, client: Clients) -> None:
    fake.tricks = {2: tricks.error(500)}
    found = client(max_calls=10).complete(some(50))
    assert (stopped_by(found), found.calls, len(fake.log), found.left) == ("max_calls", 10, 10, 41)


@pytest.mark.parametrize(
    ("trick", "usd"),
    [
        (tricks.slow(3), 3 * CALL),  # three time-outs, each of which may have been billed
        (tricks.without("usage"), CALL),
        (tricks.error(400), 0.0),
        (tricks.says(None), 2 * 13e-6),  # an odd answer costs what it says, and is asked for again
    ],
)
def test_what_may_have_been_billed_counts(
    fake: Fake, client: Clients, trick: Trick, usd: float
) -> None:
    fake.always = trick
    found = client(timeout=0.1, **PRICES).complete(some(1))
    assert found.spent_usd == pytest.approx(usd, rel=0.1)


def test_tokens_of_a_body() -> None:
    words = {"role": "user", "content": "x" * 9}
    assert prompt_tokens_of({"messages": [words]}) == 4 + 3
    assert prompt_tokens_of({"messages": [words, words]}) == 2 * (4 + 3)
    assert prompt_tokens_of({"messages": [words], "response_format": {"a": 1}}) == 4 + 3 + 4
    parts = [{"type": "text", "text": "x" * 9}, IMAGE]
    body = {"messages": [{"role": "user", "content": parts}]}
    assert prompt_tokens_of(body) == 4 + 3 + IMAGE_TOKENS


def tokens_of(text: str) -> int:
    return prompt_tokens_of({"messages": [{"role": "user", "content": text}]}) - 4


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        # As cl100k_base counts, the vocabulary of gpt-3.5-turbo; bytes / 3 is less each time.
        ("張三住在北京市的一條小街上，他是一位畫家。", 26),
        ("محمد بن سلمان ولي العهد", 17),
        ("Nguyễn Phú Trọng đã phát biểu", 16),
        ("1783 2021-05-06 12345678901", 14),
        ("😀👍🏽🇩🇪", 14),
    ],
)
def test_other_scripts_and_digits_are_not_underestimated(text: str, tokens: int) -> None:
    assert tokens_of(text) >= tokens > len(text.encode()) / 3


def test_calls_a_minute_are_spread_evenly(fake: Fake, client: Clients) -> None:
    """Ten a second, on a real clock: after the first ten at once, a second passes for each ten."""
    begun = time.monotonic()
    assert client(requests_per_minute=600.0).complete(requests(15)).left == 0
    assert time.monotonic() - begun > 0.45


def test_a_wait_that_the_server_names_is_kept(
    fake: Fake, client: Clients, time_of: QuickClock
) -> None:
    fake.tricks = {1: tricks.limited(retry_after=formatdate(STARTED + 40, usegmt=True))}
    found = client().complete(requests(1))
    assert found.retries == {"429": 1}
    assert time_of.now() == pytest.approx(40)


def test_waits_grow_where_the_server_names_none(
    fake: Fake, client: Clients, time_of: QuickClock
) -> None:
    fake.tricks = dict.fromkeys(range(1, 6), tricks.error(500))
    client().complete(requests(1))
    assert time_of.sleeps == [pytest.approx(0.5 * 2**n, rel=0.26) for n in range(5)]


def test_all_wait_while_the_server_is_busy_and_then_come_back_fewer(
    fake: Fake, client: Clients, time_of: QuickClock
) -> None:
    fake.now = time_of.now
    fake.tricks = dict.fromkeys(range(60, 80), tricks.limited(retry_after="3"))
    found = client().complete(requests(150))
    assert found.outcomes == {"answered": 150}
    assert found.retries == {"429": 20}
    # Those under way arrive still; then nobody does for three seconds, and fewer at once after that.
    assert min(call.at for call in fake.log if call.at) >= 3
    assert 80 <= sum(call.at == 0 for call in fake.log) <= 80 + 64


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after-ms": "250", "retry-after": "7"}, 0.25),
        ({"retry-after-ms": "soon", "retry-after": "7"}, 7),
        ({"retry-after": formatdate(STARTED - 30, usegmt=True)}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "Mon, 99 Foo 2026 00:00:00 GMT"}, None),
        ({}, None),
    ],
)
def test_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers, STARTED) == seconds
