"""How fast the asker goes: what the server says, what it does, and what the user allows."""

from __future__ import annotations

import math
from dataclasses import replace
from email.utils import formatdate

import pytest

from mmoe.descriptions.llm_client import AskSettings, ask_all
from mmoe.descriptions.llm_client.pace import LONGEST_WAIT, Gate

from tests.descriptions.llm_client.fake import tricks
from tests.descriptions.llm_client.fake.server import Fake
from tests.descriptions.llm_client.runs import STARTED, QuickClock, questions


def left(number: int, reset: str, unit: str = "requests") -> dict[str, str]:
    return {f"x-ratelimit-remaining-{unit}": str(number), f"x-ratelimit-reset-{unit}": reset}


def test_the_number_under_way_doubles_then_halves_once_a_round_then_grows_by_one(
    time_of: QuickClock,
) -> None:
    gate = Gate(4, 64, None, time_of.clock())
    numbers = [gate.begin() for _ in range(4)]
    assert gate.wait() == math.inf
    for _ in numbers:
        gate.end()
        gate.went_well()
    assert gate.limit == 8
    numbers = [gate.begin() for _ in range(8)]
    for number in numbers:
        gate.end()
        gate.sent_away(number, None)
    assert gate.limit == 4
    for _ in range(4):
        gate.went_well()
    assert gate.limit == pytest.approx(5, abs=0.2)
    for _ in range(1000):
        gate.sent_away(gate.begin(), None)
        gate.end()
    assert gate.limit == 1
    for _ in range(10_000):
        gate.went_well()
    assert gate.limit == 64


def test_all_wait_while_the_server_sends_us_away(time_of: QuickClock) -> None:
    gate = Gate(4, 64, None, time_of.clock())
    numbers = [gate.begin(), gate.begin()]
    for number, seconds in zip(numbers, (3.0, 2.0), strict=True):
        gate.end()
        gate.sent_away(number, seconds)
    assert gate.wait() == 3.0


def test_what_the_server_says_is_left_is_not_overdrawn(time_of: QuickClock) -> None:
    gate = Gate(8, 64, None, time_of.clock())
    gate.begin()
    gate.heed(left(2, "5s"), 0)
    assert gate.wait() == 0
    gate.begin()
    assert gate.wait() == math.inf  # two are left, and two under way
    gate.end()
    gate.heed(left(0, "5s"), 0)
    assert gate.wait() == 5.0
    gate.heed(left(50, "5s") | left(30, "60ms", "tokens"), 20.0)  # one more of 20 tokens each
    assert gate.wait() == math.inf
    gate.end()
    assert gate.wait() == 0
    gate.heed(left(0, f"{LONGEST_WAIT + 1}s"), 0)  # of a day: whether it holds, a 429 will say
    assert gate.wait() == 0


def test_calls_a_minute_are_spread_evenly(
    fake: Fake, settings: AskSettings, time_of: QuickClock
) -> None:
    settings = replace(settings, requests_per_minute=600.0)
    asked = ask_all(questions(41), settings, clock=time_of.clock())
    assert asked.left == 0
    assert time_of.now() == pytest.approx(4.0, abs=0.11)
    assert max(time_of.sleeps) == pytest.approx(0.1, abs=0.06)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry_after": "0.2"}, 0.2),
        ({"retry_after": "121"}, 121),
        ({"retry_after_ms": "1500"}, 1.5),
        ({"retry_after": formatdate(STARTED + 40, usegmt=True)}, 40),
    ],
)
def test_a_wait_that_the_server_names_is_kept(
    fake: Fake,
    settings: AskSettings,
    time_of: QuickClock,
    headers: dict[str, str],
    seconds: float,
) -> None:
    fake.tricks = {1: tricks.limited(**headers)}
    asked = ask_all(questions(1), settings, clock=time_of.clock())
    assert asked.retries == {"429": 1}
    assert time_of.sleeps == pytest.approx([seconds])


def test_waits_grow_where_the_server_names_none(
    fake: Fake, settings: AskSettings, time_of: QuickClock
) -> None:
    fake.tricks = dict.fromkeys(range(1, 6), tricks.error(500))
    ask_all(questions(1), settings, clock=time_of.clock())
    assert time_of.sleeps == [pytest.approx(0.5 * 2**n, rel=0.26) for n in range(5)]


@pytest.mark.parametrize("tells_limit", [True, False])
def test_a_limited_server_meets_no_storm(
    fake: Fake, settings: AskSettings, time_of: QuickClock, tells_limit: bool
) -> None:
    """300 questions, 50 a second, on the quick clock of both."""
    fake.per_second, fake.now, fake.tells_limit = 50, time_of.now, tells_limit
    asked = ask_all(questions(300), settings, clock=time_of.clock())
    assert asked.outcomes == {"answered": 300}
    turned_away = fake.statuses()[429]
    assert turned_away == asked.retries["429"]
    # Without headers, at most those under way are turned away in each of the five seconds.
    assert turned_away <= (10 if tells_limit else 150)
    assert fake.most_at_once <= settings.max_concurrency
    assert time_of.now() <= 12
