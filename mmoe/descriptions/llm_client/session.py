"""Whom to ask, how fast and for how much money, and what both ways of sending share meanwhile."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tqdm import tqdm

from mmoe.config.llm import LlmParams
from mmoe.descriptions.llm_client.budget import Budget, Estimate, estimate
from mmoe.descriptions.llm_client.cache import ReplyCache
from mmoe.descriptions.llm_client.fallbacks import Fallbacks, names_in
from mmoe.descriptions.llm_client.key import ApiKey
from mmoe.descriptions.llm_client.response import (
    ATTEMPTS,
    NoResponse,
    Response,
    Retry,
    Verdict,
    classify_response,
)
from mmoe.descriptions.llm_client.types import PASSING, Reply, Request, Round, Stop
from mmoe.errors import RankingError
from mmoe.sqlite_cache import default_cache_folder

OPENAI = "https://api.openai.com/v1"


def server_url(base_url: str | None) -> str:
    """The address without a slash at its end; RankingError if it is none, or holds what may be secret."""
    url = (base_url or OPENAI).rstrip("/")
    try:
        parts = urlsplit(url)
        has_more = parts.username or parts.password or parts.query or parts.fragment
        is_plain = parts.scheme in ("http", "https") and bool(parts.hostname) and not has_more
        _ = parts.port
    except ValueError:
        is_plain = False
    if not is_plain:
        raise RankingError(
            "rank.base_url: not a plain address of a server; write it like http://localhost:8000/v1, without "
            "a login or a query, which would be kept in files: the key goes into OPENAI_API_KEY"
        )
    return url


@dataclass(frozen=True)
class Clock:
    """Time as the client sees it, `wall` in seconds since 1970; tests put another in its place."""

    now: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


@dataclass
class Endpoint:
    """One server; limits of calls and money hold over all rounds of requests to it.

    Attributes:
        base_url: of an OpenAI-compatible server; None for OpenAI itself. Its key comes from the environment.
        timeout: seconds for a whole answer.
        concurrency: requests that may be in flight at the same time.
    Raises:
        RankingError: if the address is wrong.
    """

    base_url: str | None = None
    params: LlmParams = field(default_factory=LlmParams)
    cache_folder: Path = field(default_factory=default_cache_folder)
    timeout: float = 60.0
    concurrency: int = 64
    clock: Clock = field(default_factory=Clock, repr=False)
    budget: Budget = field(init=False, repr=False)
    fallbacks: Fallbacks = field(default_factory=Fallbacks, init=False, repr=False)

    def __post_init__(self) -> None:
        self.url = server_url(self.base_url)
        self.budget = Budget(self.params)

    @property
    def host(self) -> str:
        """The server's name, for messages."""
        return urlsplit(self.url).netloc


@dataclass(frozen=True, slots=True)
class Attempt:
    """A call that is counted: what is sent of a request, what that lacks, and what it may cost."""

    key: str
    body: Mapping[str, Any]
    left_out: tuple[str, ...]
    estimate: Estimate


@dataclass
class Session:
    """One round of requests, while it lasts: what both ways of sending share."""

    client: Endpoint
    secret: ApiKey
    cache: ReplyCache
    round: Round
    bar: tqdm[Any]
    # Attempts that failed, by the request's key and their cause.
    failures: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    def attempt(self, request: Request) -> Attempt | None:
        """Counts a call if the limits allow one more; ends the round if they never will."""
        budget, cost = self.client.budget, estimate([request.body], self.client.params)
        if not budget.has_calls():
            self.end(Stop("max_calls", "llm.max_calls is reached"))
        elif budget.has_money(cost):
            body, left_out = self.client.fallbacks.fit(request.body)
            self.round.left_out.update(left_out)
            budget.begin(cost)
            return Attempt(request.key, body, left_out, cost)
        elif not budget.num_in_flight:  # one in flight may turn out cheaper than estimated
            self.end(Stop("max_cost_usd", "llm.max_cost_usd is reached"))
        return None

    def settle(self, attempt: Attempt, response: Response | NoResponse, most: int = 99) -> Verdict:
        """Pays what came of an attempt and takes the reply; a Retry is returned if another one is due.

        Args:
            most: failures of one request, whatever their causes, after which it is given up.
        """
        outcome = classify_response(attempt.key, response, self.secret)
        reply = outcome.otherwise if isinstance(outcome, Retry) else outcome
        told = reply if isinstance(reply, Reply) else None
        self.client.budget.end(attempt.estimate, told, is_billed=response.is_billed)
        match outcome:
            case Stop():
                self.end(outcome)
                return outcome
            case Retry():
                if self._is_worth_it(attempt, outcome, most):
                    self.round.retries[outcome.kind] += 1
                    return outcome
                outcome = outcome.otherwise
        self.take(replace(outcome, left_out=attempt.left_out))
        return outcome

    def _is_worth_it(self, attempt: Attempt, retry: Retry, most: int) -> bool:
        if retry.without is not None:
            return self.client.fallbacks.refuse(retry.without, names_in(attempt.body))
        failed = self.failures[attempt.key]
        failed[retry.cause] += 1
        return failed[retry.cause] < ATTEMPTS[retry.cause] and failed.total() < most

    def keep(self, reply: Reply) -> None:
        """Keeps a reply for later runs, if it is final; it is on disk before the next step."""
        if reply.outcome not in PASSING:
            self.cache.put(reply)

    def take(self, reply: Reply) -> None:
        """Keeps the reply to a request of this round."""
        self.keep(reply)
        self.round.replies[reply.key] = reply
        if (spent := self.client.budget.spent_usd) is not None:
            self.bar.set_postfix_str(f"{spent:.2f} USD", refresh=False)
        self.bar.update()

    def end(self, stop: Stop) -> None:
        """Nothing more is sent; the first reason counts."""
        self.round.stop = self.round.stop or stop
