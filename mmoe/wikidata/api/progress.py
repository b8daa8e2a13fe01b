"""A progress bar on stderr that counts requests and tells the time that the pace still needs."""

from __future__ import annotations

import sys
import threading
from types import TracebackType
from typing import Any, Self

from tqdm import tqdm

from mmoe.wikidata.api.pace import Pacer

_FORM = "{desc}: {n_fmt} of {total_fmt} requests answered or kept [{elapsed}{postfix}]"


class RequestBar:
    """Requests that are known to be needed, and those that are answered, from the server or the cache.

    More may turn out to be needed: the time left is the least, at the pace of now.
    """

    def __init__(self, pacer: Pacer) -> None:
        self._pacer = pacer
        self._lock = threading.Lock()
        self._expected = self._counted = 0
        self._bar: tqdm[Any] = tqdm(
            total=0, bar_format=_FORM, desc="wikidata", file=sys.stderr, mininterval=0.5
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.close()

    def expect(self, requests: int) -> None:
        """So many more are needed."""
        with self._lock:
            self._expected += requests
            self._bar.total = self._expected

    def count(self) -> None:
        """One was answered."""
        with self._lock:
            self._counted += 1
            self._bar.set_postfix_str(f"at least {self.time_left()} left", refresh=False)
            self._bar.update()

    def time_left(self) -> str:
        """What the known requests take at the pace of now, as minutes:seconds."""
        left = max(0, self._expected - self._counted)
        return tqdm.format_interval(60 * left / self._pacer.per_minute)

    def note(self, line: str) -> None:
        """Writes a line above the bar."""
        with self._lock:
            self._bar.write(f"wikidata: {line}", file=sys.stderr)
