"""What a run leaves in files, and what limits it: of calls and money, for all rounds together."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from mmoe.descriptions.llm_client.cache import FILE
from mmoe.errors import RankingError
from mmoe.files import read_json

from pipeline.layout import Layout
from tests.descriptions.llm_client.fake import tricks
from tests.descriptions.llm_client.fake.batches import Lines, completion, responded
from tests.descriptions.llm_client.fake.server import Fake, Handler
from tests.descriptions.stage import choose, ledger, logs, run, write

REFUSED = ("max_completion_tokens -> max_tokens", "schema -> json_object", "temperature")


@pytest.fixture
def picky(fake: Fake, at: Layout) -> Fake:
    """A server that takes neither a temperature, nor a schema, nor the newer name of a limit."""

    def answer(handler: Handler) -> None:
        for name in ("temperature", "max_completion_tokens"):
            if name in handler.asked().body:
                handler.error(400, "Unsupported parameter", "unsupported_parameter", param=name)
                return
        refusal = tricks.error(400, "response_format: this type is not supported")
        tricks.lacking(refusal, "json_schema", otherwise=choose("sailor"))(handler)

    fake.always = answer
    return fake


def test_what_was_left_out_is_counted(picky: Fake, at: Layout) -> None:
    write(at, "one", "two", "one", "three")
    run(at, picky)
    found = read_json(at.rank_counts)
    assert found["left_out"] == dict.fromkeys(REFUSED, 4)  # mentions
    assert [tuple(line["left_out"]) for line in ledger(at)] == [REFUSED] * 3  # questions
    host = picky.url.removeprefix("http://").removesuffix("/v1")
    told = {"server": "openai", "host": host, "output": "schema", "temperature": 0.0, "seed": 43}
    assert told.items() <= found.items()


def test_replies_kept_by_earlier_versions_are_taken(
    picky: Fake, at: Layout, tmp_path: Path
) -> None:
    """They don't tell what was left out; they were paid nevertheless."""
    write(at, "one", "two")
    first, num_calls = run(at, picky), len(picky.log)
    with sqlite3.connect(tmp_path / "cache" / FILE) as database:
        database.execute("UPDATE replies SET reply = json_remove(reply, '$.left_out')")
    database.close()
    assert (run(at, picky), len(picky.log)) == (first, num_calls)


def test_the_log_has_a_line_before_the_first_question_and_one_for_each_end(
    fake: Fake, at: Layout
) -> None:
    write(at, "one", "two")
    path, seen = (at.work("rank") / "log.jsonl").absolute(), []

    def answer(handler: Handler) -> None:
        seen.append([json.loads(line) for line in path.read_text("utf-8").splitlines()])
        choose("sailor")(handler)

    fake.always = answer
    with pytest.raises(RankingError, match="max_calls"):
        run(at, fake, max_calls=1)
    # What a killed run would leave.
    assert [[line["event"] for line in lines] for lines in seen] == [["started"]]
    run(at, fake)
    run(at, fake)
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert [line["event"] for line in lines] == ["started", "ended"] * 3
    for begin, end in zip(lines[::2], lines[1::2], strict=True):
        assert begin.items() <= {**end, "event": "started"}.items()
        assert begin["started"] <= end["ended"]
    assert [line["is_finished"] for line in logs(at)] == [False, True, True]
    assert [line["calls"] for line in logs(at)] == [1, 1, 0]
    assert "max_calls" in logs(at)[0]["rounds"][0]["stopped"]


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

    def work(line: dict[str, Any], _: int) -> Lines:
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
