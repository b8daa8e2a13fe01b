"""The server: User-Agent, gzip, lag, limits per minute, and tricks on chosen requests; it keeps the score."""

from __future__ import annotations

import json
import math
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.loopback import running
from tests.wikidata.api.fake.actions import ApiError, act
from tests.wikidata.api.fake.store import Store
from tests.wikidata.loopback import JSON, WikimediaHandler

MINUTE = 60.0  # seconds


@dataclass
class Asked:
    """One request and the status that it was answered with; 0 while it is under way."""

    params: dict[str, str]
    headers: dict[str, str]
    at: float
    status: int = 0
    is_good: bool = False  # answered as it should be


@dataclass
class Fake:
    """What the server holds, how it behaves, and what it has seen.

    Attributes:
        tricks: by the number of a request, counted from 1 over all that come in.
        lag: of the databases, in seconds.
        per_minute: requests beyond which it answers 429; null for no limit.
        now: the server's clock, by which the limit is counted.
        most_phrase_hits, most_prefix_hits: a page, whatever is asked for.
        delay: seconds of real time that every answer takes, so that requests meet.
        early: requests that came although the server had sent the client away for longer.
    """

    store: Store = field(default_factory=Store)
    tricks: dict[int, Trick] = field(default_factory=dict)
    lag: Callable[[int], float] = lambda _: 0.0
    per_minute: int | None = None
    now: Callable[[], float] = time.monotonic
    most_phrase_hits: int = 500
    most_prefix_hits: int = 50
    delay: float = 0.0
    log: list[Asked] = field(default_factory=list)
    most_at_once: int = 0
    most_per_window: int = 0
    early: int = 0
    url: str = ""
    closing: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _active: int = 0
    _recent: deque[float] = field(default_factory=deque)
    _away_until: float = -math.inf

    def arrive(self, asked: Asked) -> tuple[int, int]:
        """Counts a request in; returns its number and how many came within the window."""
        with self._lock:
            self.log.append(asked)
            self._active += 1
            self.most_at_once = max(self.most_at_once, self._active)
            while self._recent and self._recent[0] <= asked.at - MINUTE:
                self._recent.popleft()
            self._recent.append(asked.at)
            self.most_per_window = max(self.most_per_window, len(self._recent))
            self.early += asked.at < self._away_until
            return len(self.log), len(self._recent)

    def leave(self) -> None:
        with self._lock:
            self._active -= 1

    def send_away(self, seconds: float) -> None:
        """Notes that the client was told to stay away."""
        with self._lock:
            self._away_until = max(self._away_until, self.now() + seconds)

    def until_free(self) -> int:
        """Seconds until the oldest request leaves the window."""
        with self._lock:
            return max(1, math.ceil(self._recent[0] + MINUTE - self.now()))

    def good(self) -> list[dict[str, str]]:
        """The parameters of the requests that were answered well."""
        return [asked.params for asked in list(self.log) if asked.is_good]

    def actions(self) -> Counter[str]:
        """All requests, by action."""
        return Counter(asked.params.get("action", "") for asked in list(self.log))


class Handler(WikimediaHandler):
    """Answers one request."""

    fake: Fake

    def do_GET(self) -> None:
        query = urlsplit(self.path).query
        params = dict(parse_qsl(query, keep_blank_values=True))
        self.asked = Asked(params, dict(self.headers), self.fake.now())
        number, recent = self.fake.arrive(self.asked)
        try:
            if self.fake.delay:
                time.sleep(self.fake.delay)
            self.answer(number, recent)
        finally:
            self.done()

    def answer(self, number: int, recent: int) -> None:
        if self.has_refused_agent():
            self.refuse_agent()
        elif number in self.fake.tricks:
            self.fake.tricks[number](self)
        elif self.fake.per_minute is not None and recent > self.fake.per_minute:
            self.too_many(str(self.fake.until_free()), self.fake.until_free())
        elif "maxlag" in self.asked.params and self.fake.lag(number) > int(
            self.asked.params["maxlag"]
        ):
            self.lagging(self.fake.lag(number))
        else:
            self.act()

    def act(self) -> None:
        """Answers as it should."""
        try:
            good = self.good_answer()
        except ApiError as error:
            self.error(error.code, error.info, **error.more)
        else:
            self.asked.is_good = True
            self.reply(200, *good)

    def good_answer(self) -> tuple[bytes, str]:
        fake = self.fake
        content = act(fake.store, self.asked.params, fake.most_phrase_hits, fake.most_prefix_hits)
        return json.dumps(content, ensure_ascii=False).encode(), JSON

    def lagging(self, lag: float) -> None:
        wait = max(int(self.asked.params.get("maxlag", "5")), 5)
        self.fake.send_away(wait)
        headers = {"Retry-After": str(wait), "X-Database-Lag": str(int(lag))}
        info = f"Waiting for 10.0.0.1: {lag} seconds lagged."
        self.error("maxlag", info, headers, host="10.0.0.1", lag=lag, type="db")

    def too_many(self, retry_after: str, seconds: float) -> None:
        self.fake.send_away(seconds)
        body = b"<!DOCTYPE html><title>Too many requests</title>"
        self.reply(429, body, "text/html", {"Retry-After": retry_after})

    def error(
        self, code: str, info: str, headers: dict[str, str] | None = None, **more: Any
    ) -> None:
        error = {"code": code, "info": info, "docref": "See the API's own page."} | more
        told = {"MediaWiki-API-Error": code, "Cache-Control": "private"} | (headers or {})
        self.json({"error": error, "servedby": "mw1"}, told)

    def answered(self, status: int) -> None:
        self.asked.status = status
        self.done()

    def done(self) -> None:
        if not hasattr(self, "is_done"):
            self.is_done = True
            self.fake.leave()


Trick = Callable[[Handler], None]


@contextmanager
def serving(fake: Fake) -> Iterator[Fake]:
    """Runs the server for as long as the context lasts."""
    with running(type("FakeHandler", (Handler,), {"fake": fake}), fake.closing) as address:
        fake.url = f"{address}/w/api.php"
        yield fake
