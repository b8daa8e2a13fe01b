"""From a list of requests to a reply for each, each sent at most once, within limits of calls and money."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import platformdirs
from tqdm import tqdm

from mmoe.config.llm import LlmParams
from mmoe.descriptions.llm_client.budget import Budget, Estimate, estimate
from mmoe.descriptions.llm_client.cache import FILE, ReplyCache
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
from mmoe.files import content_key
from mmoe.locks import exclusive_lock

WAITING = "another run asks the same model; waiting for it"
OPENAI = "https://api.openai.com/v1"


def say(line: str) -> None:
    print(f"rank: {line}", file=sys.stderr, flush=True)


def default_cache_folder() -> Path:
    """Where replies are kept: MMOE_CACHE, or else the user's cache folder."""
    return Path(os.environ.get("MMOE_CACHE") or platformdirs.user_cache_dir("mmoe"))


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
class LlmClient:
    """Sends requests to one server, each at most once; limits of calls and money hold over all rounds.

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

    def complete(self, requests: Iterable[Request]) -> Round:
        """Sends every request whose reply is not kept yet; equal ones once, and all to one model.

        Of runs that share a cache folder, a server and a model, one sends at a time; the others wait and then
        take its replies. A reply is on disk before the next step, so that a killed run repeats only what was
        in flight; batches that it has started are taken up.

        Returns:
            Replies and counts; `stopped` says whether and why it ended early. All replies are kept then.
        Raises:
            RankingError: if the cache can't be used or the key can't be one.
        """
        begun = time.monotonic()
        distinct = {request.key: request for request in requests}
        found = Round(len(distinct), spent_usd=0.0 if self.params.has_prices else None)
        with ReplyCache(self.cache_folder, self.clock.wall) as cache:
            if missing := _take_kept(distinct.values(), cache, found):
                model = content_key(self.url, str(missing[0].body.get("model")))
                waiting = partial(say, WAITING)
                with exclusive_lock(self.cache_folder, f"{FILE}.{model}.lock", waiting):
                    # The run that had its turn before may have sent the same.
                    if missing := _take_kept(missing, cache, found):
                        self._send(missing, cache, found)
        found.seconds = time.monotonic() - begun
        return found

    def _send(self, missing: Sequence[Request], cache: ReplyCache, found: Round) -> None:
        """Sends, and writes down what it has cost and why it ended."""
        # Imported here: the openai package takes longer to load than all kept replies.
        from mmoe.descriptions.llm_client.batch import send_batches
        from mmoe.descriptions.llm_client.direct import send_directly

        secret, in_batches = ApiKey(), self.params.mode == "batch"
        send = send_batches if in_batches else send_directly
        how = ", in batches" if in_batches else ""
        say(f"questions that go to {self.host}{how}: {len(missing):,}")
        calls, spent = self.budget.calls, self.budget.spent_usd or 0.0
        # Only where somebody watches, so that logs stay short.
        with tqdm(total=len(missing), desc="rank", unit=" questions", disable=None) as bar:
            try:
                asyncio.run(send(Session(self, secret, cache, found, bar), missing))
            except ExceptionGroup as group:
                raise group.exceptions[0] from None
        found.calls = self.budget.calls - calls
        if self.budget.spent_usd is not None:
            found.spent_usd = self.budget.spent_usd - spent
        if found.left_out:
            counts = ", ".join(f"{name}: {count:,}" for name, count in found.left_out.items())
            say(f"calls without what the server refuses ({counts})")


def _take_kept(requests: Iterable[Request], cache: ReplyCache, found: Round) -> list[Request]:
    """Takes the replies that are kept; returns the requests without one."""
    wanted = list(requests)
    kept = cache.get([request.key for request in wanted])
    found.replies |= kept
    found.cache_hits += len(kept)
    return [request for request in wanted if request.key not in kept]


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

    client: LlmClient
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
        self._pay(attempt, response, outcome)
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

    def _pay(self, attempt: Attempt, response: Response | NoResponse, outcome: Verdict) -> None:
        if isinstance(response, NoResponse):
            is_billed = response.kind == "time out"
        else:
            is_billed = 200 <= response.status < 300
        reply = outcome.otherwise if isinstance(outcome, Retry) else outcome
        told = isinstance(reply, Reply) and (reply.prompt_tokens, reply.completion_tokens)
        self.client.budget.end(attempt.estimate, *(told or (None, None)), is_billed=is_billed)

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
