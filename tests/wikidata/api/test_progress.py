"""The bar counts what is needed and tells the time that it takes at the least."""

from __future__ import annotations

import threading

import pytest

from mmoe.wikidata.api import ApiSettings, find_items
from mmoe.wikidata.api.pace import Pacer, RequestBar

from tests.wikidata.api.clock import StoppedClock
from tests.wikidata.api.fake.server import Fake


def test_the_time_left_follows_the_pace(time_of: StoppedClock) -> None:
    pacer = Pacer(180, time_of.clock())
    with RequestBar(pacer) as bar:
        bar.expect(361)
        assert bar.time_left() == "02:00"
        bar.count()
        assert bar.time_left() == "02:00"
        for _ in range(60):
            bar.count()
        assert bar.time_left() == "01:40"
        bar.expect(180)
        assert bar.time_left() == "02:40"
        pacer.slow_down(1)
        assert bar.time_left() == "04:00"


def test_threads_count_on_one_bar(
    time_of: StoppedClock, capsys: pytest.CaptureFixture[str]
) -> None:
    with RequestBar(Pacer(180, time_of.clock())) as bar:
        bar.expect(400)

        def count() -> None:
            for _ in range(100):
                bar.count()

        threads = [threading.Thread(target=count) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        bar.note("something")
    told = capsys.readouterr().err
    assert "400 of 400 requests answered or kept" in told
    assert "at least 00:00 left" in told
    assert "wikidata: something\n" in told


def test_a_run_takes_the_time_that_its_pace_needs(
    fake: Fake, settings: ApiSettings, time_of: StoppedClock, capsys: pytest.CaptureFixture[str]
) -> None:
    find_items([f"word {number}" for number in range(100)], settings, time_of.clock())
    assert len(fake.log) == 100
    assert time_of.now() > 32.9
    assert "100 of 100 requests answered or kept" in capsys.readouterr().err
