"""An even pace for all threads, pauses for all of them, and a slower pace once for one reproach."""

from __future__ import annotations

import threading

import pytest

from mmoe.wikidata.api import ApiSettings, find_items
from mmoe.wikidata.api.pace import Pacer

from tests.wikidata.api.clock import StoppedClock
from tests.wikidata.api.fake.server import Fake


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


def test_one_reproach_slows_down_once(time_of: StoppedClock) -> None:
    pacer = Pacer(180, time_of.clock())
    for _ in range(3):  # three requests were under way together
        pacer.slow_down(10)
    assert pacer.per_minute == pytest.approx(120)
    time_of.sleep(10, threading.Event())
    pacer.slow_down(10)
    assert pacer.per_minute == pytest.approx(80)


def test_a_run_takes_the_time_that_its_pace_needs(
    fake: Fake, settings: ApiSettings, time_of: StoppedClock, capsys: pytest.CaptureFixture[str]
) -> None:
    find_items([f"word {number}" for number in range(100)], settings, time_of.clock())
    assert len(fake.log) == 100
    assert time_of.now() > 32.9
    assert "100 of 100 requests answered or kept" in capsys.readouterr().err
