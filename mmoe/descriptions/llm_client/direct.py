"""Sends requests one by one, several at a time, tries again, and knows when to end.

The attempts are counted here and not by the openai package, whose own retries are off: each of them counts to
llm.max_calls and may be billed, a refused parameter must not be tried again as it was, and a run that ends
must not sleep on.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from aiolimiter import AsyncLimiter
from openai import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    AsyncOpenAI,
    DefaultAsyncHttpx2Client,
    Timeout,
)

from mmoe.descriptions.llm_client.key import ApiKey
from mmoe.descriptions.llm_client.response import NoResponse, Response, Retry
from mmoe.descriptions.llm_client.session import Attempt, Session
from mmoe.descriptions.llm_client.types import Outcome, Reply, Request, Stop
from mmoe.retry_after import retry_after

HOPELESS = 3  # requests given up in a row, without any answer in between: the server is down
LONGEST_WAIT = 600.0  # seconds that a server may ask us to wait; beyond, the run ends
_FIRST_WAIT, _MOST_WAIT = 0.5, 30.0  # seconds
_FIRST_LIMIT = 8.0  # requests in flight at first
_CONNECT = 10.0  # seconds to open a connection
_HEADERS = ("retry-after", "retry-after-ms")


def open_client(url: str, secret: ApiKey, silence: float, retries: int = 0) -> AsyncOpenAI:
    """Connections to one server, lost after so many seconds without a byte; redirects are not followed:
    requests go where the user was told.
    """
    timeout = Timeout(silence, connect=min(_CONNECT, silence))
    return AsyncOpenAI(
        api_key=secret.reveal(),
        base_url=url,
        max_retries=retries,
        timeout=timeout,
        http_client=DefaultAsyncHttpx2Client(timeout=timeout, follow_redirects=False),
    )


async def send(
    client: AsyncOpenAI, body: Mapping[str, Any], timeout: float
) -> Response | NoResponse:
    """Sends chat.completions arguments once, with so many seconds for the whole answer, of any status."""
    try:
        async with asyncio.timeout(timeout):
            response: Any = await client.chat.completions.with_raw_response.create(**body)
    except APIStatusError as error:
        response = error.response
    except (TimeoutError, APITimeoutError):
        return NoResponse("time out", f"no answer within {timeout:g} s")
    except APIConnectionError as error:
        # Its cause says what happened, its own text only that something did.
        cause = error.__cause__ or error
        return NoResponse("no connection", f"{type(cause).__name__} {cause}")
    headers = {name: response.headers[name] for name in _HEADERS if name in response.headers}
    return Response(response.status_code, response.content, headers)


async def send_directly(session: Session, requests: Sequence[Request]) -> None:
    """Returns when every request has its reply, or when the run ended and nothing is in flight."""
    url, timeout = session.client.url, session.client.timeout
    async with open_client(url, session.secret, timeout) as client:
        sender, waiting = DirectSender(session, client), iter(requests)
        async with asyncio.TaskGroup() as group:
            for _ in range(min(session.client.concurrency, len(requests))):
                group.create_task(sender.work(waiting))


class DirectSender:
    """Workers that share one pace.

    The number of requests in flight doubles in every round until the server first has too much to do, then
    grows by one a round; it is halved, at most once a round, when the server has too much to do.
    """

    def __init__(self, session: Session, client: AsyncOpenAI) -> None:
        self._session, self._client, self._clock = session, client, session.client.clock
        self._budget = session.client.budget  # counts the calls, and those in flight
        per_minute = session.client.params.requests_per_minute
        self._pace: AsyncLimiter | None = None
        if per_minute is not None:
            # Evenly spread, in portions of at most a second.
            self._pace = AsyncLimiter(max(1, per_minute / 60), max(1, 60 / per_minute))
        self._limit = min(_FIRST_LIMIT, session.client.concurrency)
        self._was_limited = False
        self._calls_at_halving = 0
        self._free_at = 0.0  # before then nothing is sent
        self._given_up = 0
        self._settled = asyncio.Event()  # wakes those who wait for one in flight
        self._idle: set[asyncio.Task[Any]] = set()

    async def work(self, waiting: Iterable[Request]) -> None:
        """Takes one request after the other from those that all workers share."""
        for request in waiting:
            while (attempt := await self._turn(request)) is not None:
                number = self._budget.calls
                try:
                    response = await send(self._client, attempt.body, self._session.client.timeout)
                except BaseException:  # the run is broken off: the call may have been billed
                    self._budget.end(attempt.estimate, None, is_billed=True)
                    raise
                outcome = self._session.settle(attempt, response)
                self._settled.set()  # wakes all that wait, once
                self._settled.clear()
                if isinstance(outcome, Retry):
                    await self._wait(request, outcome, response, number)
                    continue
                if isinstance(outcome, Reply):
                    self._count(outcome)
                break
            if self._session.round.stop is not None:
                self._end(self._session.round.stop)
                return

    async def _turn(self, request: Request) -> Attempt | None:
        """Counts a call when it may be sent; None if the run has ended."""
        session = self._session
        with self._waiting():
            if self._pace is not None:
                await self._pace.acquire()
            while session.round.stop is None:
                if (pause := self._free_at - self._clock.now()) > 0:
                    await self._clock.sleep(pause)
                elif self._budget.num_in_flight >= int(self._limit):
                    await self._settled.wait()
                elif (attempt := session.attempt(request)) is not None:
                    return attempt
                elif session.round.stop is None:
                    await self._settled.wait()
        return None

    async def _wait(
        self, request: Request, retry: Retry, response: Response | NoResponse, number: int
    ) -> None:
        """Until the next attempt: as long as the server says, or longer each time."""
        if retry.without is not None:
            return
        headers = response.headers if isinstance(response, Response) else {}
        told = retry_after(headers, self._clock.wall())
        if retry.cause == "busy":
            self._slow_down(number, told or 0.0)
        if told is not None and told > LONGEST_WAIT:
            words = f"the server asks us to stay away for {told:.0f} s"
            self._end(Stop("wait", f"{words} ({retry.otherwise.error}); start again then"))
            return
        tried = self._session.failures[request.key].total() - 1
        share = random.uniform(0.75, 1.25)  # noqa: S311 - so that not all come back together
        with self._waiting():
            await self._clock.sleep(told or min(_MOST_WAIT, _FIRST_WAIT * 2.0**tried) * share)

    def _count(self, reply: Reply) -> None:
        """Goes on faster after an answer; ends the run if there has been none for long."""
        if reply.outcome != Outcome.GAVE_UP:
            self._given_up = 0
            most = float(self._session.client.concurrency)
            more = 1 / self._limit if self._was_limited else 1.0
            self._limit = min(most, self._limit + more)
            return
        self._given_up += 1
        if self._given_up >= HOPELESS:
            last = f"{HOPELESS} questions in a row were given up, the last: {reply.error}"
            self._session.end(Stop("server", f"the server does not answer; {last}"))

    def _slow_down(self, number: int, seconds: float) -> None:
        """The server was too busy for the call of that number, and maybe said for how long."""
        self._was_limited = True
        if number > self._calls_at_halving:
            self._limit = max(1.0, self._limit / 2)
            self._calls_at_halving = self._budget.calls
        self._free_at = max(self._free_at, self._clock.now() + seconds)

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
