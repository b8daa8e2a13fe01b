"""Limits of calls and money hold for all rounds of questions together, whichever way they are asked."""

from __future__ import annotations

from typing import Any

import pytest

from mmoe.errors import RankingError

from pipeline.layout import Layout
from tests.descriptions.llm_client.fake.batches import completion, responded
from tests.descriptions.llm_client.fake.server import Fake, Handler
from tests.descriptions.stage import run, write

LONG = "Ada " + "is here {} " * 400
TOLD = "This model's maximum context length is 100 tokens."
CODE = "context_length_exceeded"
MODES = pytest.mark.parametrize("mode", ["direct", "batch"])


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mmoe.descriptions.llm_client.batch.POLL", 0.01)


def costly(body: dict[str, Any]) -> dict[str, Any]:
    """An answer that counts a million tokens of prompt."""
    content = completion('{"choice": 1}', body)
    content["usage"]["prompt_tokens"] = 1_000_000
    return content


def is_long(body: dict[str, Any]) -> bool:
    return len(body["messages"][-1]["content"]) > 900


@pytest.fixture
def small(fake: Fake, at: Layout) -> Fake:
    """A server that rejects long questions, which cost nothing, and takes much for short ones."""

    def answer(handler: Handler) -> None:
        if is_long(handler.asked().body):
            handler.error(400, TOLD, CODE, param="messages")
        else:
            handler.json(200, costly(handler.asked().body))

    def work(line: dict[str, Any], _: int) -> tuple[list[Any], list[Any]]:
        if is_long(line["body"]):
            return [], [responded(line, 400, {"error": {"message": TOLD, "code": CODE}})]
        return [responded(line, 200, costly(line["body"]))], []

    fake.always, fake.batches.work = answer, work
    return fake


def calls(fake: Fake) -> int:
    in_batches = (len(fake.batches.lines(n + 1)) for n in range(len(fake.batches.batches)))
    return len(fake.log) + sum(in_batches)


@MODES
def test_calls_of_all_rounds_count_together(small: Fake, at: Layout, mode: str) -> None:
    most = 4
    write(at, *(LONG.format(n, *range(399)) for n in range(3)))
    with pytest.raises(RankingError, match=r"llm\.max_calls is reached"):
        run(at, small, mode=mode, max_calls=most)
    assert calls(small) == most
    # What was answered is kept, so that the next run has the limit for the rest.
    assert all(record.qid for record in run(at, small, mode=mode))


@MODES
def test_money_of_all_rounds_counts_together(small: Fake, at: Layout, mode: str) -> None:
    """The first round spends all that is allowed, and the question that was too long is not asked again."""
    write(at, "one", "two", LONG)
    prices: dict[str, Any] = {"price_prompt": 1.0, "price_completion": 0.0}
    with pytest.raises(RankingError, match=r"llm\.max_cost_usd is reached"):
        run(at, small, mode=mode, max_cost_usd=2.0, **prices)
    assert calls(small) == 3
    assert all(r.qid for r in run(at, small, mode=mode, max_cost_usd=100.0, **prices))
