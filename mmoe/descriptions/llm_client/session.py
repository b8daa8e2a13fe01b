"""What both ways of sending share while a round of requests is in flight."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tqdm import tqdm

from mmoe.descriptions.llm_client.budget import Estimate
from mmoe.descriptions.llm_client.cache import ReplyCache
from mmoe.descriptions.llm_client.endpoint import Endpoint
from mmoe.descriptions.llm_client.key import ApiKey
from mmoe.descriptions.llm_client.response import (
    NoResponse,
    Outcome,
    Response,
    Retry,
    classify_response,
)
from mmoe.descriptions.llm_client.types import FINAL, Reply, Round, Stop


@dataclass
class Session:
    """One round of a client's requests, while it lasts.

    Attributes:
        cache: where replies are kept.
        round: what has come of it so far.
    """

    client: Endpoint
    secret: ApiKey
    cache: ReplyCache
    round: Round
    bar: tqdm[Any]

    def keep(self, reply: Reply) -> None:
        """Keeps a reply for later runs, if it is final; it is on disk before the next step."""
        if reply.outcome in FINAL:
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
        self.client.budget.end(estimate, prompt, completion, is_billed=is_good or is_lost)
        if is_good and isinstance(reply, Reply) and prompt is None:
            self.round.oddities["no usage"] += 1
        return outcome

    def may_call(self, estimate: Estimate) -> bool:
        """Whether the limits allow one more call; ends the round if they never will."""
        if not self.client.budget.has_calls():
            self.end(Stop("max_calls", "llm.max_calls is reached"))
        elif self.client.budget.has_money(estimate):
            return True
        elif (
            not self.client.budget.num_in_flight
        ):  # one in flight may turn out cheaper than estimated
            self.end(Stop("max_cost_usd", "llm.max_cost_usd is reached"))
        return False
