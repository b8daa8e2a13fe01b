"""Time that passes only while somebody sleeps."""

from __future__ import annotations

import threading

from mmoe.wikidata.api.pace import Clock

STARTED = 1_800_000_000.0  # seconds since 1970


class StoppedClock:
    """Notes how long it was to sleep, moves on by as much, and returns at once."""

    def __init__(self) -> None:
        self.sleeps: list[float] = []
        self._now = 0.0
        self._lock = threading.Lock()

    def now(self) -> float:
        return self._now

    def wall(self) -> float:
        return STARTED + self._now

    def sleep(self, seconds: float, _stopped: threading.Event) -> None:
        with self._lock:
            self.sleeps.append(seconds)
            self._now += seconds

    def clock(self) -> Clock:
        return Clock(self.now, self.wall, self.sleep)
