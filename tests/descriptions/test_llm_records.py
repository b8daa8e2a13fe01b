"""What was really sent is told by every run, also by one that asks nothing; the log tells of all runs."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from mmoe.descriptions.llm_client import LlmClient, Round, estimate
from mmoe.descriptions.llm_client.cache import FILE
from mmoe.errors import RankingError
from mmoe.files import read_json

from pipeline.layout import Layout
from tests.descriptions.llm_client.fake import tricks
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
    """Some don't tell what was left out; they were paid nevertheless."""
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


def test_what_an_interrupted_run_has_spent_is_in_the_log(
    fake: Fake, at: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(client: LlmClient, _: object) -> Round:
        client.budget.begin(estimate([{"messages": []}], client.params))
        raise KeyboardInterrupt

    monkeypatch.setattr(LlmClient, "complete", interrupted)
    write(at, "one")
    with pytest.raises(KeyboardInterrupt):
        run(at, fake, price_prompt=1.0, price_completion=1.0)
    (log,) = logs(at)
    found = {name: log[name] for name in ("is_finished", "calls", "spent_usd", "rounds")}
    assert found == {"is_finished": False, "calls": 1, "spent_usd": 0.0, "rounds": []}
