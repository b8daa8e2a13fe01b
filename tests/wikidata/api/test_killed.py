"""Processes that are killed, and two that share a cache: no answer is asked for twice."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from mmoe.wikidata.api import ApiSettings, find_items
from mmoe.wikidata.api.cache import AnswerCache

from tests.imports import ROOT
from tests.wikidata.api.fake import tricks
from tests.wikidata.api.fake.server import Fake, serving
from tests.wikidata.api.fake.store import item
from tests.wikidata.api.runs import FAST, WORDS, bearers, command, qids, small_world

MANY = [*WORDS, *(f"Town {number}" for number in range(60)), "Glen"]


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[Fake]:
    """As elsewhere, but the client's clock is the real one."""
    store = small_world()
    store.add(*(item(1000 + number, f"Town {number}") for number in range(60)))
    store.add(*(item(3000 + number, f"Glen {number}") for number in range(510)))
    with serving(Fake(store=store)) as running:
        yield running


def start(settings: ApiSettings, words: list[str]) -> subprocess.Popen[str]:
    line, environment = command(settings, words)
    return subprocess.Popen(
        line, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def finish(process: subprocess.Popen[str]) -> list[str]:
    """The qids that a process has found."""
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    found: list[str] = json.loads(out)
    return found


def wait_until_kept(fake: Fake, settings: ApiSettings, requests: int) -> None:
    """Until so many requests are answered and the client has all these answers on disk."""
    for _ in range(1000):
        good = fake.good()  # before the cache is looked into
        expected = sum(params.get("ids", "").count("|") + 1 for params in good)
        with AnswerCache(settings.cache_folder, 1) as cache:
            kept = sum(kind.answers for kind in cache.kinds())
        if len(good) == requests and kept == expected:
            return
        time.sleep(0.01)
    pytest.fail(f"{kept} answers are kept of {expected}, from {len(good)} of {requests} requests")


def times_answered(fake: Fake) -> Counter[str]:
    """How often each question was answered well; maxlag and the like are the same in all."""
    return Counter(str(sorted(params.items())) for params in fake.good())


@pytest.mark.parametrize("held_request", [30, 75])
def test_a_killed_run_repeats_no_answer(
    fake: Fake, settings: ApiSettings, held_request: int
) -> None:
    """Killed while the server thinks about one answer: in the middle of the searches, then of the names."""
    arrived, release = threading.Event(), threading.Event()
    fake.tricks = dict.fromkeys(range(held_request, 1000), tricks.held(arrived, release))
    process = start(settings, MANY)
    assert arrived.wait(30)
    wait_until_kept(fake, settings, held_request - 1)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    answered_before = times_answered(fake)
    assert answered_before.total() == held_request - 1
    fake.tricks = {}
    release.set()
    time.sleep(0.1)
    fake.log.clear()
    settings = replace(settings, limits=FAST)
    found = qids(find_items(MANY, settings).items)
    assert found == bearers(fake.store, MANY)
    assert answered_before.keys() & times_answered(fake).keys() == set()
    assert fake.log
    num_requests = len(fake.log)
    assert qids(find_items(MANY, settings).items) == found
    assert len(fake.log) == num_requests


def test_two_clients_on_one_cache_ask_as_much_as_one(fake: Fake, settings: ApiSettings) -> None:
    fake.delay = 0.005
    clients = [start(settings, MANY), start(settings, MANY[::-1])]
    found = [finish(client) for client in clients]
    assert found == [bearers(fake.store, MANY)] * 2
    # Pages of lists: of the words, and two for the glens. Names and items in fifties.
    assert len(fake.log) == 68 + 2 + 14 + 2
    assert set(times_answered(fake).values()) == {1}
    assert fake.most_at_once <= settings.max_concurrent


def test_a_client_goes_on_when_the_one_that_asked_is_killed(
    fake: Fake, settings: ApiSettings
) -> None:
    arrived, release = threading.Event(), threading.Event()
    fake.tricks = dict.fromkeys(range(20, 1000), tricks.held(arrived, release))
    first = start(settings, MANY)
    assert arrived.wait(30)
    with ThreadPoolExecutor() as pool:
        second = pool.submit(find_items, MANY, replace(settings, limits=FAST))
        time.sleep(0.2)
        first.send_signal(signal.SIGKILL)
        first.communicate()
        fake.tricks = {}
        release.set()
        assert qids(second.result().items) == bearers(fake.store, MANY)


def test_an_interrupted_run_ends_at_once(fake: Fake, settings: ApiSettings) -> None:
    """Ctrl-C while the client waits for a server that sent it away for minutes."""
    fake.tricks = dict.fromkeys(range(10, 1000), tricks.limited(250))
    process = start(settings, MANY)
    deadline = time.monotonic() + 30
    while len(fake.log) < 10 and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=10)
    assert process.returncode != 0
    assert "KeyboardInterrupt" in err
