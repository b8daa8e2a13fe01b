"""Batches: lines in any order, some failed, expired or never returned; killed runs go on."""

from __future__ import annotations

import json
import signal
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmoe.descriptions.llm_client.batch import POLL, ROUNDS, parts

from tests.descriptions.llm_client.fake import tricks
from tests.descriptions.llm_client.fake.batches import Lines, answered, failed, responded
from tests.descriptions.llm_client.fake.server import Fake, Handler
from tests.descriptions.llm_client.runs import (
    CANARY,
    Clients,
    QuickClock,
    request,
    requests,
    start,
    stopped_by,
)

NO_FORM = {"error": {"message": "response_format is not supported", "param": "response_format"}}
UNSUPPORTED = {"error": {"code": "unsupported_value", "param": "temperature", "message": "no"}}


def number_of(line: dict[str, Any]) -> int:
    return int(line["body"]["messages"][-1]["content"].split()[-1])


def state_files(folder: Path) -> list[Path]:
    return list(folder.glob("batches-*.json"))


def test_lines_in_any_order_are_put_together(
    fake: Fake, client: Clients, time_of: QuickClock
) -> None:
    wanted = [request(f"say {n}", extra_body={"top_k": 1}) for n in range(30)]
    found = client(mode="batch").complete(wanted)
    assert [found.replies[one.key].text for one in wanted] == [*map(str, range(30))]
    assert (found.calls, len(fake.batches.batches), fake.log) == (30, 1, [])
    assert time_of.sleeps == [POLL]
    line = fake.batches.lines(1)[0]
    assert (line["method"], line["url"]) == ("POST", "/v1/chat/completions")
    sent = {**wanted[0].body, "top_k": 1}
    del sent["extra_body"]
    assert line["body"] == sent
    assert not state_files(client.folder)
    # What batches have answered is kept for the other mode, too.
    assert client().complete(wanted).cache_hits == 30


def test_what_is_expired_failed_or_missing_is_sent_again(fake: Fake, client: Clients) -> None:
    def work(line: dict[str, Any], batch: int) -> Lines:
        kinds: list[Lines] = [
            ([answered(line)], []),
            ([], [failed(line, "batch_expired")]),
            ([], []),
            ([], [responded(line, 500, {"error": {"message": "busy"}})]),
            ([responded(line, 200, {"choices": []})], []),
            ([answered(line), answered(line), "{", {"custom_id": "other"}], []),
        ]
        return kinds[number_of(line) % 6] if batch == 1 else kinds[0]

    fake.batches.work, fake.batches.ends = work, {1: "expired"}
    found = client(mode="batch").complete(requests(60))
    assert found.outcomes == {"answered": 60}
    assert len(fake.batches.lines(2)) == 40
    again = {"failed line": 10, "never returned": 10, "500": 10, "no completion": 10}
    assert found.retries == again


def test_what_never_comes_is_given_up(fake: Fake, client: Clients) -> None:
    fake.batches.work = lambda line, _: ([answered(line)] if number_of(line) else [], [])
    found = client(mode="batch").complete(requests(3))
    assert found.outcomes == {"answered": 2, "gave up": 1}
    assert len(fake.batches.batches) == ROUNDS
    assert found.calls == 3 + ROUNDS - 1
    assert client(max_calls=0).complete(requests(3)).left == 1


def test_what_a_batch_refuses_is_left_out_of_the_next(fake: Fake, client: Clients) -> None:
    refused = {"temperature": UNSUPPORTED, "response_format": NO_FORM}

    def work(line: dict[str, Any], _: int) -> Lines:
        for name in refused.keys() & line["body"].keys():
            return [], [responded(line, 400, refused[name])]
        return [answered(line)], []

    fake.batches.work = work
    form = {"type": "json_object"}
    found = client(mode="batch").complete(
        [request(f"say {n}", response_format=form) for n in range(5)]
    )
    assert found.outcomes == {"answered": 5}
    told = {reply.left_out for reply in found.replies.values()}
    assert told == {("json_object -> plain", "temperature")}
    assert found.retries == {"without temperature": 5, "without response_format": 5}


@pytest.mark.parametrize(
    ("refuses", "by"),
    [
        (tricks.error(401), "key"),
        (tricks.error(404), "batch"),
        (tricks.error(400, "no such window"), "batch"),
        (tricks.quota, "quota"),
    ],
)
def test_a_server_without_batches_ends_the_run(
    fake: Fake, client: Clients, refuses: Any, by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mmoe.descriptions.llm_client.batch.RETRIES", 0)
    fake.batches.refuses = refuses
    found = client(mode="batch").complete(requests(3))
    assert (stopped_by(found), found.left) == (by, 3)
    assert not state_files(client.folder)


@pytest.mark.parametrize("is_back", [True, False])
def test_a_server_that_is_away_for_a_while_is_waited_for(
    fake: Fake, client: Clients, is_back: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a batch that the next run takes up still tells what it went without."""
    if not is_back:
        monkeypatch.setattr("mmoe.descriptions.llm_client.batch.LOOK_RETRIES", 0)
    fake.batches.away, sending = 1, client(mode="batch")
    sending.fallbacks.refused.add("temperature")
    found = sending.complete(requests(3))
    if not is_back:
        assert (stopped_by(found), len(state_files(client.folder))) == ("server", 1)
        found = client(mode="batch").complete(requests(3))
    assert [reply.left_out for reply in found.replies.values()] == [("temperature",)] * 3
    assert len(fake.batches.batches) == 1


def test_a_batch_that_is_refused_ends_the_run(fake: Fake, client: Clients) -> None:
    fake.batches.ends = {1: "failed"}
    found = client(mode="batch").complete(requests(3))
    assert stopped_by(found) == "batch"
    assert "Enqueued token limit reached" in (found.stopped or "")
    assert not state_files(client.folder)


def test_the_key_is_kept_nowhere(
    fake: Fake, client: Clients, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", CANARY)
    body = {"error": {"message": f"wrong: {CANARY}"}}
    fake.batches.work = lambda line, _: ([responded(line, 400, body)], [])
    found = client(mode="batch").complete(requests(2))
    fake.batches.refuses = tricks.echo(403)
    stopped = client(mode="batch").complete(requests(4))
    assert stopped_by(stopped) == "permission"
    said = f"{found!r} {stopped!r} {capfd.readouterr()}"
    assert "[key]" in said
    files = [file.read_bytes() for file in client.folder.rglob("*") if file.is_file()]
    assert CANARY.encode() not in b" ".join([said.encode(), *files])


@pytest.mark.parametrize("is_heard", [True, False])
def test_a_killed_run_goes_on_with_the_batch_that_it_started(
    fake: Fake, client: Clients, is_heard: bool
) -> None:
    """Killed while it waits for the batch, or before it has heard of its id."""
    arrived, release = threading.Event(), threading.Event()
    fake.batches.holds = True

    def on_create(_: int, handler: Handler) -> None:
        arrived.set()
        if not is_heard:
            release.wait(20)

    fake.batches.on_create = on_create
    texts = [f"say {n}" for n in range(20)]
    process = start(fake.url, client.folder, texts, "batch")
    assert arrived.wait(30)
    for _ in range(1000):
        states = [json.loads(path.read_text()) for path in state_files(client.folder)]
        if states and bool(states[0][0]["id"]) == is_heard:
            break
        release.wait(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    release.set()
    fake.batches.holds = False
    fake.batches._looks.clear()
    # Of the questions that it had sent, half are found again, with others.
    wanted = [request(f"say {n}", fake.url) for n in range(10, 25)]
    found = client(mode="batch").complete(wanted)
    assert found.outcomes == {"answered": 15}
    assert [len(fake.batches.lines(n)) for n in (1, 2)] == [20, 5]
    assert len(fake.batches.batches) == 2
    # The other half was paid, too.
    everything = [request(f"say {n}", fake.url) for n in range(25)]
    assert client(max_calls=0).complete(everything).cache_hits == 25


@given(st.lists(st.integers(0, 50)), st.integers(1, 5))
def test_files_are_of_legal_size(sizes: list[int], most_lines: int) -> None:
    lines = [(str(n), b"x" * size) for n, size in enumerate(sizes)]
    files = list(parts(lines, most_lines, 60))
    assert [line for file in files for line in file.items()] == lines
    for file in files:
        assert 1 <= len(file) <= most_lines
        assert len(file) == 1 or sum(map(len, file.values())) <= 60
