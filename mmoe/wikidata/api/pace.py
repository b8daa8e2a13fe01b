"""When the next request may leave: an even pace that all threads share, and pauses for all of them."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tqdm import tqdm

SLOWER = 1.5  # times the pause between two requests, when the server says that we are too fast


@dataclass(frozen=True)
class Clock:
    """Time as the client sees it; tests put another in its place.

    Attributes:
        now: seconds that only ever grow.
        wall: seconds since 1970.
        sleep: waits so many seconds, or until the event is set.
    """

    now: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    sleep: Callable[[float, threading.Event], object] = lambda s, stopped: stopped.wait(s)


CLOCK = Clock()


class StoppedError(Exception):
    """The run has ended elsewhere: a thread that still waits gives up."""


class Pacer:
    """Hands out turns, one every 60 / max_per_minute seconds, whatever thread asks.

    The pace never quickens again within a run: who was told once to slow down stays slow.
    """

    def __init__(self, max_per_minute: float, clock: Clock = CLOCK) -> None:
        self._clock = clock
        self._interval = 60 / max_per_minute
        self._next = clock.now()
        self._paused_until = clock.now()
        self._slowed_until = clock.now()
        self._lock = threading.RLock()
        self._stopped = threading.Event()

    @property
    def per_minute(self) -> float:
        """The pace of now."""
        return 60 / self._interval

    def turn(self) -> None:
        """Returns when the next request may leave.

        Raises:
            StoppedError: if stop() was called meanwhile.
        """
        while (wait := self._claim()) > 0:
            self.sleep(wait)
        self.check()

    def sleep(self, seconds: float) -> None:
        """Waits.

        Raises:
            StoppedError: if stop() was called meanwhile.
        """
        self._clock.sleep(seconds, self._stopped)
        self.check()

    def check(self) -> None:
        """Does nothing, but raises StoppedError after stop() was called."""
        if self._stopped.is_set():
            raise StoppedError

    def pause(self, seconds: float) -> float:
        """Lets no request leave for so long; returns by how much that prolongs the waiting."""
        with self._lock:
            longer = self.longer(seconds)
            self._paused_until += longer
            return longer

    def longer(self, seconds: float) -> float:
        """By how much a pause of so many seconds from now would prolong the waiting."""
        with self._lock:
            now = self._clock.now()
            self._paused_until = max(self._paused_until, now)
            return max(0.0, now + seconds - self._paused_until)

    def slow_down(self, seconds: float) -> None:
        """Widens the pace, once for all that is heard in the next `seconds`."""
        with self._lock:
            now = self._clock.now()
            if now >= self._slowed_until:
                self._interval *= SLOWER
                self._slowed_until = now + seconds

    def stop(self) -> None:
        """Wakes every thread that waits."""
        self._stopped.set()

    def _claim(self) -> float:
        """Takes a turn if one is free, and returns how long to wait otherwise."""
        with self._lock:
            now = self._clock.now()
            free = max(self._next, self._paused_until)
            if free > now:
                return free - now
            self._next = now + self._interval
            return 0.0


_FORM = "{desc}: {n_fmt} of {total_fmt} requests answered or kept [{elapsed}{postfix}]"


class RequestBar:
    """Requests that are known to be needed, and those that are answered, from the server or the cache.

    More may turn out to be needed: the time left is the least, at the pace of now.
    """

    def __init__(self, pacer: Pacer) -> None:
        self._pacer = pacer
        self._lock = threading.Lock()
        self._expected = 0
        self._bar: tqdm[Any] = tqdm(
            total=0, bar_format=_FORM, desc="wikidata", file=sys.stderr, mininterval=0.5
        )

    def close(self) -> None:
        self._bar.close()

    def expect(self, requests: int) -> None:
        """So many more are needed."""
        with self._lock:
            self._expected += requests
            self._bar.total = self._expected

    def count(self) -> None:
        """One was answered."""
        with self._lock:
            self._bar.n += 1
            requests = max(0, self._expected - self._bar.n)
            least = tqdm.format_interval(60 * requests / self._pacer.per_minute)
            self._bar.set_postfix_str(f"at least {least} left", refresh=False)
            self._bar.update(0)

    def note(self, line: str) -> None:
        """Writes a line above the bar."""
        with self._lock:
            self._bar.write(f"wikidata: {line}", file=sys.stderr)
