"""One run over the questions whose replies are not kept: sends, tries again, and knows when to end."""

from __future__ import annotations

import asyncio
import math
import random
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from mmoe.descriptions.llm_client.budget import Budget, Estimate
from mmoe.descriptions.llm_client.headers import retry_after
from mmoe.descriptions.llm_client.key import ApiKey
from mmoe.descriptions.llm_client.pace import LONGEST_WAIT, Clock, Gate
from mmoe.descriptions.llm_client.parameters import left_out_of, names_in
from mmoe.descriptions.llm_client.settings import AskSettings
from mmoe.descriptions.llm_client.types import Reply, Request
from mmoe.descriptions.llm_client.verdict import (
    Again,
    Answer,
    NoAnswer,
    Stop,
    Verdict,
    Without,
    judge,
)
from mmoe.descriptions.llm_client.way import Run

ATTEMPTS = 8  # at one question
BUSY_ATTEMPTS = 30  # of which the server may turn so many away for being busy
TIME_OUTS = 3  # each of them may have been billed
HOPELESS = 3  # questions given up in a row, without any answer in between: the server is down
_FIRST_WAIT, _MOST_WAIT = 0.5, 30.0  # seconds


class Sender(Protocol):
    """Sends a body and brings back what came."""

    async def send(self, body: Mapping[str, Any]) -> Answer | NoAnswer: ...


@dataclass(slots=True)
class _Question:
    """A question and the attempts at it that failed."""

    request: Request
    faults: int = 0
    busy: int = 0
    time_outs: int = 0
    was_odd: bool = False


class AskingRun(Run):
    """Asks one by one, several at a time, until all have a reply or the run must end."""

    def __init__(
        self,
        settings: AskSettings,
        secret: ApiKey,
        on_reply: Callable[[Reply], None],
        on_other: Callable[[Reply], None],
        clock: Clock,
        refused: set[str] | None = None,
        budget: Budget | None = None,
    ) -> None:
        super().__init__(settings, secret, on_reply, on_other, clock, refused, budget)
        self._gate = Gate(
            settings.concurrency, settings.max_concurrency, settings.requests_per_minute, clock
        )
        self._ready: deque[_Question] = deque()
        self._changed = asyncio.Event()  # wakes the loop that starts attempts
        self._stopping = asyncio.Event()  # wakes those who wait to try again
        self._tasks = 0
        self._given_up = 0

    def connection(self) -> AbstractAsyncContextManager[Sender]:
        from mmoe.descriptions.llm_client.connection import Connection

        return Connection(self._settings, self._secret)

    async def ask(self, requests: Sequence[Request], connection: Sender) -> None:
        self._ready.extend(_Question(request) for request in requests)
        async with asyncio.TaskGroup() as group:
            while (self._ready and self.stop is None) or self._tasks:
                self._changed.clear()
                wait = self._until_next()
                if wait > 0:
                    await self._pause(wait)
                elif self.stop is None:
                    question = self._ready.popleft()
                    self._tasks += 1
                    group.create_task(self._attempt(question, connection, *self._begin(question)))
                    # Otherwise a fast pace would start all before the first is sent.
                    await asyncio.sleep(0)

    def _until_next(self) -> float:
        """Seconds to wait before a question may be sent; infinite if something under way must end first."""
        if not self._ready or self.stop is not None:
            return math.inf
        if (wait := self._gate.wait()) > 0:
            return wait
        if not self.budget.has_calls():
            self._end(Stop("max_calls", "rank.max_calls is reached"))
        elif not self.budget.has_money(self._estimate(self._ready[0])):
            if self._gate.under_way:
                return math.inf  # it may turn out cheaper than estimated
            self._end(Stop("max_cost_usd", "rank.max_cost_usd is reached"))
        return 0.0

    async def _pause(self, seconds: float) -> None:
        if math.isinf(seconds):
            await self._changed.wait()
        else:
            await self._clock.sleep(seconds, self._changed)

    def _estimate(self, question: _Question) -> Estimate:
        return self.budget.estimate(question.request.body)

    def _begin(self, question: _Question) -> tuple[int, Estimate]:
        estimate = self._estimate(question)
        self.budget.begin(estimate)
        return self._gate.begin(), estimate

    async def _attempt(
        self, question: _Question, sender: Sender, number: int, estimate: Estimate
    ) -> None:
        """One call and what follows from it."""
        try:
            body = self.parameters.fit(question.request.body)
            try:
                answer = await sender.send(body)
            finally:
                self._gate.end()
                self._changed.set()
            left_out = left_out_of(question.request.body, body)
            verdict = judge(question.request.key, answer, self._secret, left_out)
            self._pay(estimate, answer, verdict)
            if isinstance(answer, Answer):
                self._gate.heed(answer.headers, self.budget.tokens_a_call)
            await self._follow(question, number, body, answer, verdict)
        finally:
            self._tasks -= 1
            self._changed.set()

    def _pay(self, estimate: Estimate, answer: Answer | NoAnswer, verdict: Verdict) -> None:
        is_good = isinstance(answer, Answer) and 200 <= answer.status < 300
        is_lost = isinstance(answer, NoAnswer) and answer.kind == "time out"
        reply = verdict.otherwise if isinstance(verdict, Again) else verdict
        told = reply if isinstance(reply, Reply) else None
        self.budget.end(
            estimate,
            told.prompt_tokens if told else None,
            told.completion_tokens if told else None,
            is_billed=is_good or is_lost,
        )
        if is_good and told and told.prompt_tokens is None:
            self.oddities["no usage"] += 1

    async def _follow(
        self,
        question: _Question,
        number: int,
        body: Mapping[str, Any],
        answer: Answer | NoAnswer,
        verdict: Verdict,
    ) -> None:
        match verdict:
            case Reply():
                self._given_up = 0
                self._gate.went_well()
                self._on_reply(verdict)
            case Stop():
                self._end(verdict)
            case Without(parameter, otherwise):
                if self.parameters.refuse(parameter, names_in(body)):
                    self._again(question, f"without {parameter}")
                else:
                    self._on_reply(otherwise)
            case Again():
                await self._try_again(question, number, answer, verdict)

    async def _try_again(
        self, question: _Question, number: int, answer: Answer | NoAnswer, verdict: Again
    ) -> None:
        headers = answer.headers if isinstance(answer, Answer) else {}
        told = retry_after(headers, self._clock.wall())
        if verdict.is_busy:
            self._gate.sent_away(number, told)
        if told is not None and told > LONGEST_WAIT:
            words = f"the server asks us to stay away for {told:.0f} s"
            self._end(Stop("wait", f"{words} ({verdict.otherwise.error}); start again then"))
        elif self._is_last(question, verdict):
            self._give_up(verdict)
        elif told is not None and verdict.is_busy:
            self._again(question, verdict.kind)  # the gate makes all wait
        else:
            await self._clock.sleep(self._wait(question, told), self._stopping)
            self._again(question, verdict.kind)

    def _is_last(self, question: _Question, verdict: Again) -> bool:
        """Counts a failed attempt; true if it was the last one."""
        if verdict.is_last:
            return True
        if verdict.is_odd:
            was_odd, question.was_odd = question.was_odd, True
            return was_odd
        question.faults += not verdict.is_busy
        question.busy += verdict.is_busy
        question.time_outs += verdict.kind == "time out"
        return (
            question.faults >= ATTEMPTS
            or question.busy >= BUSY_ATTEMPTS
            or question.time_outs >= TIME_OUTS
        )

    def _give_up(self, verdict: Again) -> None:
        self._given_up = 0 if verdict.is_odd else self._given_up + 1
        self._on_reply(verdict.otherwise)
        if self._given_up >= HOPELESS:
            last = (
                f"{HOPELESS} questions in a row were given up, the last: {verdict.otherwise.error}"
            )
            self._end(Stop("server", f"the server does not answer; {last}"))

    def _wait(self, question: _Question, told: float | None) -> float:
        if told is not None:
            return told
        tried = max(0, question.faults + question.busy - 1)
        share = random.uniform(0.75, 1.25)  # noqa: S311 - so that not all come back together
        return min(_MOST_WAIT, _FIRST_WAIT * 2.0 ** min(tried, 10)) * share

    def _again(self, question: _Question, kind: str) -> None:
        self.retries[kind] += 1
        self._ready.appendleft(question)

    def _end(self, stop: Stop) -> None:
        self.stop = self.stop or stop
        self._stopping.set()
        self._changed.set()
