"""The course of a run: nothing is asked twice, refusals end it, and the user is told."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest
from filelock import FileLock

from mmoe.config.wikidata import WikidataParams
from mmoe.errors import WikidataError
from mmoe.wikidata.api import ApiSettings, find_items
from mmoe.wikidata.api.ask import turn_file
from mmoe.wikidata.api.pace import Clock

from tests.wikidata import loopback
from tests.wikidata.api.clock import StoppedClock
from tests.wikidata.api.conftest import Client
from tests.wikidata.api.fake import tricks
from tests.wikidata.api.fake.server import Fake, Handler, Trick
from tests.wikidata.api.fake.store import item
from tests.wikidata.api.runs import WORDS, qids, small_world


def test_a_second_run_asks_nothing_and_a_larger_one_only_what_is_new(
    fake: Fake, find: Client
) -> None:
    fake.store = small_world()
    first = find(WORDS)
    num_first = len(fake.log)
    again = find(WORDS, contact="")
    assert len(fake.log) == num_first
    assert (again.items, again.requests, again.retries) == (first.items, {}, {})
    assert again.cache_hits > 0
    fake.store.add(item(500, "Brask"))
    more = find([*WORDS, "Brask"])
    assert more.requests == {"search": 1, "names": 1, "items": 1}
    assert qids(more.items) == [*qids(first.items), "Q500"]


def test_answers_that_are_too_old_are_asked_for_again(
    fake: Fake, find: Client, time_of: StoppedClock
) -> None:
    fake.store.add(item(1, "Ob"))
    short = WikidataParams(cache_days=1)
    find(["Ob"], limits=short)
    fake.store.add(item(2, "Ob"))
    time_of.sleep(80_000, threading.Event())
    assert qids(find(["Ob"], limits=short).items) == ["Q1"]
    time_of.sleep(10_000, threading.Event())
    assert qids(find(["Ob"], limits=short).items) == ["Q1", "Q2"]


def test_offline_uses_what_is_kept(fake: Fake, find: Client) -> None:
    fake.store = small_world()
    first = find(WORDS)
    num_first = len(fake.log)
    assert find(WORDS, contact="", offline=True).items == first.items
    with pytest.raises(
        WikidataError,
        match=r"cache: answers about 2 of 9 surface forms are not kept .* without --offline",
    ):
        find([*WORDS, "Brask", "Ulm"], offline=True)
    assert len(fake.log) == num_first


@pytest.mark.parametrize("kind", ["names", "items"])
def test_offline_counts_words_whose_items_are_not_kept(fake: Fake, find: Client, kind: str) -> None:
    fake.store.add(item(1, "Ob"), item(2, "Brask"), item(3, "New Ob"))
    find(["Ob", "nothing"])
    gone = {"names": 2, "items": 3}[kind]
    fake.tricks = {len(fake.log) + gone: loopback.page(404)}
    with pytest.raises(WikidataError, match="HTTP 404"):
        find(["Brask"])
    with pytest.raises(WikidataError, match="answers about 1 of 3 surface forms are not kept"):
        find(["Ob", "nothing", "Brask"], offline=True)


@pytest.mark.parametrize(
    "content",
    [b"{}", b'{"entities": []}', b'{"entities": {}}', b'{"entities": {"Q1": {"id": 1}}}'],
)
def test_entities_of_another_form_are_asked_for_again(
    fake: Fake, find: Client, content: bytes
) -> None:
    fake.store.add(item(1, "Ob"))
    fake.tricks = {2: loopback.body(content)}
    found = find(["Ob"])
    assert qids(found.items) == ["Q1"]
    assert found.retries == {"broken_answer": 1}


def test_a_refusal_ends_the_run_and_keeps_what_was_answered(fake: Fake, find: Client) -> None:
    fake.store.add(*(item(number, f"Ob {number}") for number in range(1, 41)))
    words = [f"Ob {number}" for number in range(1, 41)]
    fake.tricks = {11: tricks.api_error("badvalue", "No.")}
    with pytest.raises(WikidataError, match="badvalue"):
        find(words, max_concurrent=1)
    assert len(fake.log) == 11
    found = find(words, max_concurrent=1)
    assert len(found.items) == 40
    assert found.requests["search"] == 30


def test_a_refusal_ends_the_waiting_of_other_threads(
    fake: Fake, settings: ApiSettings, time_of: StoppedClock
) -> None:
    """One thread was sent away for minutes when the other one's request is refused."""

    def when(arrived: Callable[[], bool], then: Trick) -> Trick:
        def trick(handler: Handler) -> None:
            for _ in range(2000):
                if arrived():
                    break
                time.sleep(0.002)
            then(handler)

        return trick

    def sleep(seconds: float, stopped: threading.Event) -> None:
        if seconds > 100:
            stopped.wait(10)
        else:
            time_of.sleep(seconds, stopped)

    fake.tricks = {
        1: when(lambda: len(fake.log) == 2, tricks.limited(250)),
        2: when(lambda: fake.log[0].status == 429, loopback.page(404)),
    }
    started = time.monotonic()
    with pytest.raises(WikidataError, match="HTTP 404"):
        find_items(["Ob", "Brask"], settings, Clock(time_of.now, time_of.wall, sleep))
    assert time.monotonic() - started < 5
    assert len(fake.log) == 2


def test_what_leaves_the_machine_is_said_once_and_before(
    fake: Fake, find: Client, settings: ApiSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    fake.store = small_world()
    said_before: list[str] = []

    def listen(handler: Handler) -> None:
        said_before.append(capsys.readouterr().err)
        handler.act()

    fake.tricks = {1: listen}
    find(WORDS)
    notice = f"asks {settings.host}: 7 surface forms leave this machine"
    assert said_before[0].count(notice) == 1
    assert notice not in capsys.readouterr().err
    find(WORDS)
    assert "leave this machine" not in capsys.readouterr().err
    sent = {key for asked in fake.log for key in asked.params}
    assert sent == {
        *("action", "list", "srsearch", "srnamespace", "srlimit", "sroffset", "srinfo", "srprop"),
        *("search", "language", "strictlanguage", "type", "limit", "continue", "props"),
        *("ids", "languages", "format", "formatversion", "maxlag"),
    }


def test_another_process_that_asks_is_waited_for(
    fake: Fake, settings: ApiSettings, time_of: StoppedClock, capsys: pytest.CaptureFixture[str]
) -> None:
    fake.store.add(item(1, "Ob"))
    settings.cache_folder.mkdir()
    other = FileLock(turn_file(settings), thread_local=False)
    other.acquire()
    run = threading.Thread(target=find_items, args=(["Ob"], settings, time_of.clock()))
    run.start()
    time.sleep(0.15)
    assert fake.log == []
    other.release()
    run.join(10)
    assert len(fake.log) == 3
    assert "another process asks 127.0.0.1" in capsys.readouterr().err
