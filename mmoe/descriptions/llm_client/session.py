"""What both ways of sending share while a round of requests is in flight."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from tqdm import tqdm

from mmoe.config.llm import LlmParams
from mmoe.descriptions.llm_client.budget import Budget, Estimate
from mmoe.descriptions.llm_client.cache import ReplyCache
from mmoe.descriptions.llm_client.fallbacks import Fallbacks
from mmoe.descriptions.llm_client.key import ApiKey
from mmoe.descriptions.llm_client.response import (
    NoResponse,
    Outcome,
    Response,
    Retry,
    classify_response,
)
from mmoe.descriptions.llm_client.types import FINAL, Reply, Round, Stop


@dataclass(frozen=True)
class Clock:
    """Time as the client sees it; tests put another in its place.

    Attributes:
        now: seconds that only ever grow.
        wall: seconds since 1970.
    """

    now: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


@dataclass
class Session:
    """One round: whom to ask, what may be spent, and where replies go.

    Attributes:
        url: of the server.
        timeout: seconds for a whole answer.
        concurrency: requests that may be in flight at the same time.
    """

    url: str
    params: LlmParams
    secret: ApiKey
    budget: Budget
    fallbacks: Fallbacks
    cache: ReplyCache
    round: Round
    bar: tqdm[Any]
    clock: Clock
    timeout: float
    concurrency: int

    def keep(self, reply: Reply) -> None:
        """Keeps a reply for later runs, if it is final; it is on disk before the next step."""
        if reply.outcome in FINAL:
            self.cache.put(reply)

    def take(self, reply: Reply) -> None:
        """Keeps the reply to a request of this round."""
        self.keep(reply)
        self.round.replies[reply.key] = reply
        if (spent := self.budget.spent_usd) is not None:
            self.bar.set_postfix_str(f"{spent:.2f} USD", refresh=False)
        self.bar.update()

    def end(self, stop: Stop) -> None:
        """Nothing more is sent; the first reason counts."""
        self.round.stop = self.round.stop or stop

    def settle(
        self,
        key: str,
        response: Response | NoResponse,
        estimate: Estimate,
        left_out: tuple[str, ...] | None,
    ) -> Outcome:
        """What a response means, once it is paid."""
        outcome = classify_response(key, response, self.secret, left_out)
        is_good = isinstance(response, Response) and 200 <= response.status < 300
        is_lost = isinstance(response, NoResponse) and response.kind == "time out"
        reply = outcome.otherwise if isinstance(outcome, Retry) else outcome
        prompt = reply.prompt_tokens if isinstance(reply, Reply) else None
        completion = reply.completion_tokens if isinstance(reply, Reply) else None
        self.budget.end(estimate, prompt, completion, is_billed=is_good or is_lost)
        if is_good and isinstance(reply, Reply) and prompt is None:
            self.round.oddities["no usage"] += 1
        return outcome

    def may_call(self, estimate: Estimate) -> bool:
        """Whether the limits allow one more call; ends the round if they never will."""
        if not self.budget.has_calls():
            self.end(Stop("max_calls", "llm.max_calls is reached"))
        elif self.budget.has_money(estimate):
            return True
        elif not self.budget.num_in_flight:  # one in flight may turn out cheaper than estimated
            self.end(Stop("max_cost_usd", "llm.max_cost_usd is reached"))
        return False
