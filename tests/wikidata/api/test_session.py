"""One request against servers and networks that fail: asked again as is fair, given up when it must be."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from mmoe.errors import WikidataError
from mmoe.wikidata.api.answers import read_api_answer
from mmoe.wikidata.api.pace import Pacer
from mmoe.wikidata.api.session import PoliteSession, RetryPolicy

from tests.wikidata import loopback
from tests.wikidata.api.clock import StoppedClock
from tests.wikidata.api.fake import tricks
from tests.wikidata.api.fake.server import Fake, Trick
from tests.wikidata.api.fake.store import item
from tests.wikidata.api.runs import CONTACT

ASK = {"action": "wbgetentities", "ids": "Q1", "format": "json", "maxlag": "5"}


class Client:
    """A session whose waits take no time, and what it told the user."""

    def __init__(self, fake: Fake, time_of: StoppedClock, **policy: float) -> None:
        self.notes: list[str] = []
        self.time, self.fake = time_of, fake
        pacer = Pacer(6000, time_of.clock())
        self.session = PoliteSession(
            CONTACT,
            RetryPolicy(**policy),  # type: ignore[arg-type]
            pacer,
            self.notes.append,
        )
        self.pacer = pacer

    def ask(self) -> Any:
        return self.session.get(self.fake.url, ASK, "items", lambda answer: read_api_answer(answer))


Open = Callable[..., Client]


@pytest.fixture
def client(fake: Fake, time_of: StoppedClock) -> Iterator[Open]:
    fake.store.add(item(1, "Ob"))
    with ExitStack() as stack:

        def open_one(**policy: float) -> Client:
            one = Client(fake, time_of, **policy)
            stack.enter_context(one.session)
            return one

        yield open_one


@pytest.mark.parametrize(
    ("trick", "reason", "least", "most"),
    [
        (tricks.limited(7), "http_429", 7, 8),
        (tricks.limited_until(40), "http_429", 39, 41),
        (tricks.limited_without_wait, "http_429", 1, 2),
        (loopback.page(503, Retry_After="9"), "http_503", 9, 10),
        (loopback.page(503), "http_503", 1, 2),
        (loopback.page(503, Retry_After="soon"), "http_503", 1, 2),
        (loopback.page(200), "broken_answer", 1, 2),
        (loopback.body(b""), "broken_answer", 1, 2),
        (loopback.body(b'{"a": "\xff"}'), "broken_answer", 1, 2),
        (loopback.half, "broken_answer", 1, 2),
        (loopback.cut, "cut_answer", 1, 2),
        (loopback.hang_up, "no_connection", 1, 2),
        (tricks.lagged(7.5), "maxlag", 5, 6),
        (tricks.api_error("cirrussearch-too-busy-error"), "cirrussearch-too-busy-error", 1, 2),
        (tricks.list_of_errors("ratelimited", "slow"), "ratelimited", 1, 2),
        (tricks.list_of_errors("maxlag", "lagged"), "maxlag", 5, 6),
    ],
)
def test_a_passing_trouble_is_waited_out(
    fake: Fake, client: Open, trick: Trick, reason: str, least: float, most: float
) -> None:
    fake.tricks = {1: trick}
    one = client()
    assert one.ask()["entities"]["Q1"]["id"] == "Q1"
    assert one.session.retries == {reason: 1}
    assert one.session.requests == {"items": 2}
    assert least <= one.time.now() <= most
    assert len(one.notes) == 1
    assert "again in" in one.notes[0]
    assert (len(fake.log), fake.early) == (2, 0)


@pytest.mark.parametrize(
    ("trick", "message"),
    [
        (
            tricks.api_error("badvalue", "Unknown language xx."),
            r"refuses .*badvalue: Unknown language xx",
        ),
        (tricks.list_of_errors("no-such-entity", "Nope."), r"no-such-entity: Nope\."),
        (loopback.body(b'{"errors": ["odd"]}'), "unknown: odd"),
        (loopback.page(404), "HTTP 404 .*Our servers are busy"),
        (loopback.page(403), "HTTP 403"),
        (
            loopback.WikimediaHandler.refuse_agent,
            "User-Agent .*robot policy.*MMOE_CONTACT.*User-Agent_policy",
        ),
        (loopback.body(b'{"error": {"code": "badtoken", "info": "x"}}', status=400), "badtoken: x"),
    ],
)
def test_a_refusal_is_told_and_not_repeated(
    fake: Fake, client: Open, trick: Trick, message: str
) -> None:
    fake.tricks = {1: trick}
    with pytest.raises(WikidataError, match=message) as caught:
        client().ask()
    assert "\n" not in str(caught.value)
    assert len(fake.log) == 1


def test_it_gives_up_after_some_attempts(fake: Fake, client: Open) -> None:
    fake.tricks = dict.fromkeys(range(1, 50), loopback.page(503))
    with pytest.raises(
        WikidataError, match=r"gave up after 4 attempts, the last: HTTP 503; .* kept"
    ):
        client(attempts=4).ask()
    assert len(fake.log) == 4


def test_it_gives_up_where_it_is_sent_away_for_long(fake: Fake, client: Open) -> None:
    fake.tricks = {1: tricks.limited(3600)}
    one = client()
    with pytest.raises(WikidataError, match=r"asks us to stay away for 3600 s \(HTTP 429\)"):
        one.ask()
    assert one.time.sleeps == []
    assert len(fake.log) == 1


def test_lag_is_waited_for_only_so_long(fake: Fake, client: Open) -> None:
    fake.lag = lambda _: 99.0
    one = client(max_lag_wait=32)
    with pytest.raises(
        WikidataError,
        match=r"lag behind .*99\.0 seconds lagged.*max_lag_wait\) is 32; .* kept",
    ):
        one.ask()
    assert 25 < one.session.waited_for_lag <= 32
    assert one.time.now() <= 32
    assert 5 <= len(fake.log) <= 7
    assert fake.early == 0


def test_lag_does_not_use_up_the_attempts(fake: Fake, client: Open) -> None:
    fake.lag = lambda number: 9.0 if number <= 20 else 0.0
    fake.tricks = {21: loopback.half, 22: loopback.page(503)}
    one = client(attempts=3)
    assert one.ask()["success"] == 1
    assert one.session.retries == {"maxlag": 20, "broken_answer": 1, "http_503": 1}
    assert len(one.notes) == 3
    # Lag that was waited for doesn't make the waits after faults longer.
    assert [int(seconds) for seconds in one.time.sleeps if seconds >= 1][-2:] == [1, 2]


def test_being_too_fast_slows_down_for_good(fake: Fake, client: Open) -> None:
    fake.tricks = {1: tricks.limited(5), 3: tricks.api_error("ratelimited")}
    one = client()
    one.ask()
    assert one.pacer.per_minute == pytest.approx(4000)
    one.ask()
    assert one.pacer.per_minute == pytest.approx(6000 / 2.25)
    fake.tricks = {5: loopback.page(503), 6: tricks.lagged(6)}
    one.ask()
    assert one.pacer.per_minute == pytest.approx(6000 / 2.25)


def test_a_server_that_is_not_there(client: Open, fake: Fake) -> None:
    one = client(attempts=2)
    url = "http://127.0.0.1:1/w/api.php"
    with pytest.raises(WikidataError, match=r"gave up after 2 attempts, the last: no connection"):
        one.session.get(url, {"search": "secret word"}, "search", read_api_answer)
    assert "secret" not in " ".join(one.notes)


def test_a_silent_server_counts_as_lost(fake: Fake, client: Open) -> None:
    release = threading.Event()
    fake.tricks = {1: tricks.held(threading.Event(), release)}
    one = client(silence=0.1)
    assert one.ask()["success"] == 1
    assert one.session.retries == {"no_connection": 1}
    release.set()
