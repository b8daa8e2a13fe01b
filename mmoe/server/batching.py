"""Requests that come at the same time are linked together: a batch costs little more than a mention."""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from mmoe.linker import Linker, LinkResult, Query

FIRST_GUESS = 0.05  # seconds a mention, before any was linked
# Seconds in which others come that were answered together; without it they would fall into two groups
# that wait for each other.
GATHERED_FOR = 0.005
SMOOTHING = 0.1  # of how long a mention takes
EXPLAINED = 100  # mentions that explaining one counts as


class FullError(Exception):
    """Too much waits already; `retry_after` says after how many seconds there may be room."""

    def __init__(self, retry_after: int) -> None:
        super().__init__("too many mentions are waiting")
        self.retry_after = retry_after


class StoppedError(Exception):
    """Nothing is linked any more."""


@dataclass(frozen=True)
class _Job:
    """Mentions of one request, or one that is to be explained."""

    queries: Sequence[Query]
    top_k: int
    explain: bool
    done: asyncio.Future[list[LinkResult]]

    @property
    def size(self) -> int:
        return len(self.queries) * (EXPLAINED if self.explain else 1)


class Batcher:
    """Links what waits, as much at a time as fits into a batch, in a thread of its own.

    Args:
        max_waiting: mentions; of more, `link` raises FullError.
        on_batch: is told how many mentions each batch had.
    """

    def __init__(
        self,
        linker: Linker,
        max_batch: int,
        max_waiting: int,
        on_batch: Callable[[int], object] = lambda _: None,
    ) -> None:
        self._linker, self._max_batch, self._max_waiting = linker, max_batch, max_waiting
        self._on_batch = on_batch
        self._jobs: deque[_Job] = deque()
        self._waiting, self._seconds = 0, FIRST_GUESS
        self._come = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="linking")
        self._task: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """Mentions that wait or are being linked."""
        return self._waiting

    @property
    def is_alive(self) -> bool:
        """Whether somebody links."""
        return self._task is not None and not self._task.done()

    async def start(self) -> None:
        """Links one mention, so that the first request is no slower than others, and then what comes."""
        first = [Query(self._linker.entities[0].name, "")]
        await asyncio.get_running_loop().run_in_executor(self._thread, self._linked, first, 1)
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Waits for what is being linked, and turns away what still waits."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        for job in self._jobs:
            if not job.done.done():
                job.done.set_exception(StoppedError())
        self._thread.shutdown(wait=True)

    async def link(
        self, queries: Sequence[Query], top_k: int, *, explain: bool = False
    ) -> list[LinkResult]:
        """One result a mention.

        Raises:
            FullError: if too many wait already.
            LinkingError: see `Linker.link`.
        """
        loop = asyncio.get_running_loop()
        # In pieces: between them others are linked, and nothing more if nobody waits any longer.
        jobs = [
            _Job(queries[start : start + self._max_batch], top_k, explain, loop.create_future())
            for start in range(0, len(queries), self._max_batch)
        ]
        size = sum(job.size for job in jobs)
        if self._waiting and self._waiting + size > self._max_waiting:
            raise FullError(max(1, math.ceil(self._waiting * self._seconds)))
        self._waiting += size
        self._jobs += jobs
        self._come.set()
        try:
            found = await asyncio.gather(*(job.done for job in jobs))
        finally:
            self._waiting -= size
        return [result for results in found for result in results]

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._come.wait()
            await asyncio.sleep(GATHERED_FOR)
            if not (jobs := self._next()):
                self._come.clear()
                continue
            started, size = time.perf_counter(), sum(job.size for job in jobs)
            results = await loop.run_in_executor(self._thread, self._work, jobs)
            took = (time.perf_counter() - started) / size
            self._seconds += SMOOTHING * (took - self._seconds)
            self._on_batch(sum(len(job.queries) for job in jobs))
            for job, result in zip(jobs, results, strict=True):
                if job.done.done():  # nobody waits for it any more
                    continue
                if isinstance(result, BaseException):
                    job.done.set_exception(result)
                else:
                    job.done.set_result(result)

    def _next(self) -> list[_Job]:
        """The jobs of a batch; one that is explained, or larger than a batch, is alone."""
        jobs: list[_Job] = []
        size = 0
        while self._jobs:
            job = self._jobs[0]
            if job.done.done():
                self._jobs.popleft()
                continue
            if jobs and (job.explain or jobs[0].explain or size + job.size > self._max_batch):
                break
            jobs.append(self._jobs.popleft())
            size += job.size
        return jobs

    def _work(self, jobs: Sequence[_Job]) -> list[list[LinkResult] | BaseException]:
        if jobs[0].explain:
            return [self._one(jobs[0])]
        queries = [query for job in jobs for query in job.queries]
        try:
            results = self._linked(queries, max(job.top_k for job in jobs))
        except Exception:  # whatever it is: each by itself, so that only its own request fails
            return [self._one(job) for job in jobs]
        found: list[list[LinkResult] | BaseException] = []
        for job in jobs:
            own, results = results[: len(job.queries)], results[len(job.queries) :]
            found.append([replace(each, links=each.links[: job.top_k]) for each in own])
        return found

    def _one(self, job: _Job) -> list[LinkResult] | BaseException:
        try:
            results = self._linked(job.queries, job.top_k)
            if job.explain:
                engine = self._linker.engine
                pairs: Any = zip(job.queries, results, strict=True)
                results = [engine.explained(query, result) for query, result in pairs]
        except Exception as error:  # whoever asked is told, and the others are served
            return error
        return results

    def _linked(self, queries: Sequence[Query], top_k: int) -> list[LinkResult]:
        return list(self._linker.link_many(queries, top_k=top_k))
