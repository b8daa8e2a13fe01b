"""Calls and money: counted, compared before a call, and never overdrawn."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmoe.descriptions.llm_client import AskSettings, Prices, Request, ask_all
from mmoe.descriptions.llm_client.budget import IMAGE_TOKENS, Budget
from mmoe.errors import RankingError

from tests.descriptions.llm_client.fake import tricks
from tests.descriptions.llm_client.fake.server import Fake
from tests.descriptions.llm_client.runs import QuickClock, question

PRICES = Prices(prompt=1.0, completion=10.0)


def some(number: int) -> list[Request]:
    return [question(f"please say {n}", max_completion_tokens=2) for n in range(number)]


def test_money_is_what_the_server_counted(fake: Fake, settings: AskSettings) -> None:
    asked = ask_all(some(20), replace(settings, prices=PRICES))
    assert asked.spent_usd == pytest.approx(20 * (3 * 1 + 1 * 10) / 1e6)
    assert ask_all(some(20), replace(settings, prices=PRICES)).spent_usd == 0
    assert ask_all(some(20), settings).spent_usd is None


@pytest.mark.parametrize("concurrency", [1, 8])
def test_the_cost_stops_the_run_before_it_is_passed(
    fake: Fake, settings: AskSettings, concurrency: int
) -> None:
    most = 100e-6
    settings = replace(settings, prices=PRICES, max_cost_usd=most, concurrency=concurrency)
    asked = ask_all(some(50), settings)
    assert asked.stopped_by == "max_cost_usd"
    assert asked.spent_usd is not None
    # Another call was estimated at 24 millionths or more.
    assert most - 30e-6 <= asked.spent_usd <= most
    assert asked.left == 50 - len(fake.log) > 0
    assert f"{asked.left} questions are left" in (asked.stopped or "")
    with pytest.raises(RankingError, match=r"rank\.max_cost_usd is reached"):
        asked.raise_if_stopped()
    rest = ask_all(some(50), replace(settings, max_cost_usd=None))
    assert (rest.cache_hits, rest.left) == (50 - asked.left, 0)
    assert len(fake.log) == 50


def test_calls_that_fail_count_too(fake: Fake, settings: AskSettings, time_of: QuickClock) -> None:
    fake.tricks = {2: tricks.error(500)}
    settings = replace(settings, max_calls=10)
    asked = ask_all(some(50), settings, clock=time_of.clock())
    assert (asked.stopped_by, asked.calls, len(fake.log), asked.left) == ("max_calls", 10, 10, 41)


def test_no_calls_allowed_means_none_sent(fake: Fake, settings: AskSettings) -> None:
    asked = ask_all(some(3), replace(settings, max_calls=0))
    assert (asked.stopped_by, asked.left, fake.log) == ("max_calls", 3, [])


def test_what_may_have_been_billed_counts(
    fake: Fake, settings: AskSettings, time_of: QuickClock
) -> None:
    settings = replace(settings, prices=PRICES, timeout=0.1)
    fake.always = tricks.slow(3)
    late = ask_all(some(1), settings, clock=time_of.clock())
    assert late.spent_usd == pytest.approx(3 * 24e-6, rel=0.3)
    fake.always = tricks.without("usage")
    untold = ask_all(some(1), settings)
    assert untold.spent_usd == pytest.approx(24e-6, rel=0.3)
    fake.always = tricks.error(400)
    assert ask_all([question("refused")], settings).spent_usd == 0


def test_an_odd_answer_costs_what_it_says(
    fake: Fake, settings: AskSettings, time_of: QuickClock
) -> None:
    fake.always = tricks.says(None)
    asked = ask_all(some(1), replace(settings, prices=PRICES), clock=time_of.clock())
    assert asked.calls == 2
    assert asked.spent_usd == pytest.approx(2 * 13e-6)


def test_a_limit_needs_prices() -> None:
    with pytest.raises(RankingError, match=r"rank\.max_cost_usd"):
        AskSettings(max_cost_usd=1.0)


@given(st.lists(st.tuples(st.integers(1, 50), st.integers(0, 2)), max_size=60))
def test_never_more_is_promised_than_allowed(calls: list[tuple[int, int]]) -> None:
    """Tokens never exceed the estimate here, so that the limit holds at every moment."""
    most = 400e-6
    budget = Budget(AskSettings(prices=PRICES, max_cost_usd=most))
    for words, completion in calls:
        estimate = budget.estimate(question("word " * words, max_completion_tokens=2).body)
        if budget.has_money(estimate):
            budget.begin(estimate)
            budget.end(estimate, int(estimate.prompt_tokens), completion, is_billed=True)
        assert (budget.spent_usd or 0) <= most + 1e-12


def test_images_are_not_counted_as_text() -> None:
    budget = Budget(AskSettings(prices=PRICES))
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 400_000}}
    parts = [{"type": "text", "text": "who"}, image]
    body = {"model": "m", "messages": [{"role": "user", "content": parts}], "max_tokens": 1}
    assert 0 < budget.estimate(body).prompt_tokens - IMAGE_TOKENS < 5


def test_the_estimate_learns_from_the_server() -> None:
    budget = Budget(AskSettings(prices=PRICES))
    body = question("x" * 1000, max_completion_tokens=1).body
    first = budget.estimate(body)
    budget.begin(first)
    budget.end(first, 250, 1, is_billed=True)
    assert budget.estimate(body).prompt_tokens == pytest.approx(250)
    assert first.prompt_tokens > 250
