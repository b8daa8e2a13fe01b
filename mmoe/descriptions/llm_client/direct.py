"""Sends requests one by one, several at a time, tries again, and knows when to end.

The attempts are counted here and not by the openai package, whose own retries are off: each of them counts to
llm.max_calls and may be billed, a refused parameter must not be tried again as it was, and a run that ends
must not sleep on.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from aiolimiter import AsyncLimiter

from mmoe.descriptions.llm_client.budget import Estimate
from mmoe.descriptions.llm_client.connection import Connection, open_client
from mmoe.descriptions.llm_client.fallbacks import left_out_of, names_in
from mmoe.descriptions.llm_client.response import NoResponse, Response, Retry, RetryWithout
from mmoe.descriptions.llm_client.session import Session
from mmoe.descriptions.llm_client.types import Reply, Request, Stop
from mmoe.retry_after import retry_after

ATTEMPTS = 8  # at one request
BUSY_ATTEMPTS = 30  # of which so many may fail because the server is busy
TIME_OUTS = 3  # each of them may have been billed
HOPELESS = 3  # requests given up in a row, without any answer in between: the server is down
LONGEST_WAIT = 600.0  # seconds that a server may ask us to wait; beyond, the run ends
_FIRST_WAIT, _MOST_WAIT = 0.5, 30.0  # seconds
_FIRST_LIMIT = 8.0  # requests in flight at first


async def send_directly(session: Session, requests: Sequence[Request]) -> None:
    """Returns when every request has its reply, or when the run ended and nothing is in flight."""
    async with open_client(session.client.url, session.secret, session.client.timeout) as client:
        await DirectSender(session, Connection(client, session.client.timeout)).send(requests)


@dataclass(slots=True)
class _Tries:
    """The attempts at a request that failed."""

    faults: int = 0
    busy: int = 0
    time_outs: int = 0
    was_odd: bool = False


class DirectSender:
    """Workers that share one pace.

    The number of requests in flight doubles in every round until the server first has too much to do, then
    grows by one a round; it is halved, at most once a round, when the server has too much to do.
    """

    def __init__(self, session: Session, connection: Connection) -> None:
        self._session, self._connection, self._clock = session, connection, session.client.clock
        per_minute = session.client.params.requests_per_minute
        self._pace: AsyncLimiter | None = None
        if per_minute is not None:
            # Evenly spread, in portions of at most a second.
            self._pace = AsyncLimiter(max(1, per_minute / 60), max(1, 60 / per_minute))
        self._limit = min(_FIRST_LIMIT, session.client.concurrency)
        self._in_flight = self._begun = self._begun_at_halving = 0
        self._was_limited = False
        self._free_at = 0.0  # before then nothing is sent
        self._given_up = 0
        self._settled = asyncio.Event()  # wakes those who wait for one in flight
        self._idle: set[asyncio.Task[Any]] = set()

    async def send(self, requests: Sequence[Request]) -> None:
        waiting = iter(requests)
        async with asyncio.TaskGroup() as group:
            for _ in range(min(self._session.client.concurrency, len(requests))):
                group.create_task(self._work(waiting))

    async def _work(self, waiting: Iterable[Request]) -> None:
        """Takes one request after the other from those that all workers share."""
        for request in waiting:
            await self._complete(request)
            if self._session.round.stop is not None:
                return

    async def _complete(self, request: Request) -> None:
        session, tries = self._session, _Tries()
        while (estimate := await self._turn(request)) is not None:
            number = self._begun
            body = session.client.fallbacks.fit(request.body, session.round.left_out)
            response = await self._connection.send(body)
            self._in_flight -= 1
            left_out = left_out_of(request.body, body)
            outcome = session.settle(request.key, response, estimate, left_out)
            self._settled.set()  # wakes all that wait, once
            self._settled.clear()
            match outcome:
                case Reply():
                    self._went_well()
                    session.take(outcome)
                    return
                case Stop():
                    self._end(outcome)
                    return
                case RetryWithout(parameter, otherwise):
                    if not session.client.fallbacks.refuse(parameter, names_in(body)):
                        session.take(otherwise)
                        return
                    session.round.retries[f"without {parameter}"] += 1
                case Retry():
                    wait = self._wait_after(outcome, response, tries, number)
                    if wait is None:
                        return
                    session.round.retries[outcome.kind] += 1
                    with self._waiting():
                        await self._clock.sleep(wait)

    async def _turn(self, request: Request) -> Estimate | None:
        """Reserves a call when it may be sent; None if the run has ended."""
        session = self._session
        with self._waiting():
            if self._pace is not None:
                await self._pace.acquire()
            while session.round.stop is None:
                if (pause := self._free_at - self._clock.now()) > 0:
                    await self._clock.sleep(pause)
                elif self._in_flight >= int(self._limit):
                    await self._settled.wait()
                elif session.may_call(estimate := session.client.budget.estimate(request.body)):
                    session.client.budget.begin(estimate)
                    self._in_flight += 1
                    self._begun += 1
                    return estimate
                elif session.round.stop is None:
                    await self._settled.wait()
        self._end(session.round.stop)
        return None

    def _wait_after(
        self, outcome: Retry, response: Response | NoResponse, tries: _Tries, number: int
    ) -> float | None:
        """Seconds before the next attempt; None if there is none."""
        if self._session.round.stop is not None:
            return None
        headers = response.headers if isinstance(response, Response) else {}
        told = retry_after(headers, self._clock.wall())
        if outcome.is_busy:
            self._rate_limited(number, told)
        if told is not None and told > LONGEST_WAIT:
            words = f"the server asks us to stay away for {told:.0f} s"
            self._end(Stop("wait", f"{words} ({outcome.otherwise.error}); start again then"))
            return None
        if _is_last(tries, outcome):
            self._give_up(outcome)
            return None
        if told is not None:
            return told
        tried = max(0, tries.faults + tries.busy - 1)
        share = random.uniform(0.75, 1.25)  # noqa: S311 - so that not all come back together
        return min(_MOST_WAIT, _FIRST_WAIT * 2.0 ** min(tried, 10)) * share

    def _went_well(self) -> None:
        self._given_up = 0
        more = 1 / self._limit if self._was_limited else 1.0
        self._limit = min(float(self._session.client.concurrency), self._limit + more)

    def _rate_limited(self, number: int, seconds: float | None) -> None:
        """The server was too busy for a request, and maybe said for how long."""
        self._was_limited = True
        if number > self._begun_at_halving:
            self._limit = max(1.0, self._limit / 2)
            self._begun_at_halving = self._begun
        self._free_at = max(self._free_at, self._clock.now() + (seconds or 0.0))

    def _give_up(self, outcome: Retry) -> None:
        self._given_up = 0 if outcome.is_odd else self._given_up + 1
        self._session.take(outcome.otherwise)
        if self._given_up >= HOPELESS:
            last = (
                f"{HOPELESS} questions in a row were given up, the last: {outcome.otherwise.error}"
            )
            self._end(Stop("server", f"the server does not answer; {last}"))

    @contextmanager
    def _waiting(self) -> Iterator[None]:
        """Meanwhile the worker can be ended, as nothing of its own is in flight."""
        task = asyncio.current_task()
        assert task is not None
        self._idle.add(task)
        try:
            yield
        finally:
            self._idle.discard(task)

    def _end(self, stop: Stop) -> None:
        self._session.end(stop)
        for task in list(self._idle):
            task.cancel()


def _is_last(tries: _Tries, outcome: Retry) -> bool:
    """Counts a failed attempt; true if it was the last one."""
    if outcome.is_last:
        return True
    if outcome.is_odd:
        was_odd, tries.was_odd = tries.was_odd, True
        return was_odd
    tries.faults += not outcome.is_busy
    tries.busy += outcome.is_busy
    tries.time_outs += outcome.kind == "time out"
    return tries.faults >= ATTEMPTS or tries.busy >= BUSY_ATTEMPTS or tries.time_outs >= TIME_OUTS
