"""An even pace for all threads, pauses for all of them, and a slower pace once for one reproach."""

from __future__ import annotations

import threading
import time

import pytest

from mmoe.wikidata.api.pace import Pacer, StoppedError

from tests.wikidata.api.clock import StoppedClock


def test_turns_come_evenly_and_never_in_a_burst(time_of: StoppedClock) -> None:
    pacer = Pacer(120, time_of.clock())
    at = []
    for _ in range(5):
        pacer.turn()
        at.append(time_of.now())
    assert at == [0, 0.5, 1, 1.5, 2]
    time_of.sleep(10, threading.Event())
    for _ in range(3):  # who was idle may not catch up
        pacer.turn()
        at.append(time_of.now())
    assert at[5:] == [12, 12.5, 13]


def test_threads_share_the_pace() -> None:
    pacer = Pacer(6000)
    at: list[float] = []

    def work() -> None:
        for _ in range(5):
            pacer.turn()
            at.append(time.monotonic())

    started = time.monotonic()
    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(at) == 20
    assert time.monotonic() - started >= 0.19
    assert all(sum(since <= t < since + 0.05 for t in at) <= 7 for since in at)


def test_a_pause_holds_for_all_and_its_length_is_told(time_of: StoppedClock) -> None:
    pacer = Pacer(60, time_of.clock())
    assert pacer.longer(5) == 5
    assert pacer.pause(5) == 5
    assert pacer.pause(3) == 0
    assert pacer.pause(6) == 1
    pacer.turn()
    assert time_of.now() == 6
    assert pacer.longer(2) == 2
    pacer.turn()
    assert time_of.now() == 7


def test_one_reproach_slows_down_once(time_of: StoppedClock) -> None:
    pacer = Pacer(180, time_of.clock())
    for _ in range(3):  # three requests were under way together
        pacer.slow_down(10)
    assert pacer.per_minute == pytest.approx(120)
    time_of.sleep(10, threading.Event())
    pacer.slow_down(10)
    assert pacer.per_minute == pytest.approx(80)


def test_stop_wakes_who_waits() -> None:
    pacer = Pacer(1)
    pacer.turn()
    failed: list[BaseException] = []

    def wait() -> None:
        try:
            pacer.turn()
        except StoppedError as error:
            failed.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    pacer.stop()
    thread.join(5)
    assert len(failed) == 1
    with pytest.raises(StoppedError):
        pacer.sleep(60)
