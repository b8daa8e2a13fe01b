"""When the next request may leave: few at first, more while all is well, fewer when told so."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from mmoe.descriptions.llm_client.headers import allowance

LONGEST_WAIT = 600.0  # seconds for which a server may send us away; beyond, the run ends
_LATE = 0.05  # seconds by which a late request lets those after it leave sooner


async def _sleep(seconds: float, woken: asyncio.Event) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(woken.wait(), seconds)


@dataclass(frozen=True)
class Clock:
    """Time as the asker sees it; tests put another in its place.

    Attributes:
        now: seconds that only ever grow.
        wall: seconds since 1970.
        sleep: waits so many seconds, or until the event is set.
    """

    now: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    sleep: Callable[[float, asyncio.Event], Awaitable[None]] = _sleep


CLOCK = Clock()


class Gate:
    """Says when a request may leave; used within one thread.

    The number of requests under way doubles in every round until the server first sends us away, then
    grows by one a round; it is halved, at most once a round, when the server sends us away.

    Attributes:
        limit: requests that may be under way, rounded down.
        under_way: that are.
    """

    def __init__(self, start: int, most: int, per_minute: float | None, clock: Clock) -> None:
        self.limit, self.under_way = float(start), 0
        self._most, self._clock = most, clock
        self._interval = 60 / per_minute if per_minute else 0.0
        self._next = self._free = self._reset = clock.now()
        self._remaining = math.inf
        self._begun = self._begun_at_halving = 0
        self._was_sent_away = False

    def wait(self) -> float:
        """Seconds until the next request may leave; infinite if one under way must end first."""
        now = self._clock.now()
        if self.under_way >= int(self.limit):
            return math.inf
        if now < self._reset and self._remaining <= self.under_way:
            # Those under way may or may not be counted in: near the end, wait for what they tell.
            return math.inf if self._remaining > 0 and self.under_way else self._reset - now
        return max(0.0, self._next - now, self._free - now)

    def begin(self) -> int:
        """A request leaves; returns its number."""
        self.under_way += 1
        self._begun += 1
        self._next = max(self._next, self._clock.now() - _LATE) + self._interval
        return self._begun

    def end(self) -> None:
        """A request is over, however it went."""
        self.under_way -= 1

    def went_well(self) -> None:
        more = 1 / self.limit if self._was_sent_away else 1.0
        self.limit = min(self._most, self.limit + more)

    def sent_away(self, number: int, seconds: float | None) -> None:
        """The server was too busy for a request, and maybe said for how long."""
        self._was_sent_away = True
        if number > self._begun_at_halving:
            self.limit = max(1.0, self.limit / 2)
            self._begun_at_halving = self._begun
        if seconds is not None:
            self._free = max(self._free, self._clock.now() + seconds)

    def heed(self, headers: Mapping[str, str], tokens_a_call: float) -> None:
        """Notes what the server says is left.

        Args:
            headers: names in lower case.
            tokens_a_call: by which the tokens that are left count as requests.
        """
        wall = self._clock.wall()
        left = [
            (found.remaining // size, found.reset)
            for unit, size in (("requests", 1.0), ("tokens", max(1.0, tokens_a_call)))
            if (found := allowance(headers, unit, wall)) is not None and found.reset <= LONGEST_WAIT
        ]
        if left:
            self._remaining, reset = min(left)
            self._reset = self._clock.now() + reset
