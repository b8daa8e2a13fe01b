"""How fast requests are sent: what the server says, what it does, and what the user allows."""

from __future__ import annotations

from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmoe.retry_after import retry_after

from tests.descriptions.llm_client.fake import tricks
from tests.descriptions.llm_client.fake.server import Fake
from tests.descriptions.llm_client.runs import STARTED, Clients, QuickClock, requests


def test_calls_a_minute_are_spread_evenly(fake: Fake, client: Clients) -> None:
    """Ten a second, on a real clock: after the first ten at once, a second passes for each ten."""
    assert client(requests_per_minute=600.0).complete(requests(15)).left == 0
    assert fake.log[14].at - fake.log[0].at > 0.35


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry_after": "0.2"}, 0.2),
        ({"retry_after_ms": "1500"}, 1.5),
        ({"retry_after": formatdate(STARTED + 40, usegmt=True)}, 40),
    ],
)
def test_a_wait_that_the_server_names_is_kept(
    fake: Fake, client: Clients, time_of: QuickClock, headers: dict[str, str], seconds: float
) -> None:
    fake.tricks = {1: tricks.limited(**headers)}
    found = client().complete(requests(1))
    assert found.retries == {"429": 1}
    assert time_of.now() == pytest.approx(seconds)


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
    assert min(call.at for call in fake.log if call.at) == pytest.approx(3)
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


@given(st.text(), st.text())
def test_no_header_breaks_the_reading(text: str, other: str) -> None:
    wait = retry_after({"retry-after": text, "retry-after-ms": other}, STARTED)
    assert wait is None or wait > 0
