"""Tokens and money: what requests may cost, what was spent, whether one more call may be paid."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from mmoe.config.llm import LlmParams
from mmoe.descriptions.llm_client.types import Reply

# At most, for an image of up to 512 pixels. OpenAI's prices of vision count 85 tokens for low detail, which
# is what we send, with GPT-4o, but 2,833 with GPT-4o mini. Open models that cut an image into tiles take as
# many: LLaVA-NeXT 2,880.
IMAGE_TOKENS = 3000
# Of ASCII without digits. Our prompts of English names and sentences have about 4 with OpenAI's vocabularies;
# smaller ones, such as LLaMA2's, make more tokens. Rare names and rows of signs may have fewer than 3.
ASCII_A_TOKEN = 3
_DIGITS = b"0123456789"
_MESSAGE_TOKENS = 4  # role and marks around each message
_COMPLETION_TOKENS = 256  # where the request sets no limit


class Estimate(NamedTuple):
    """First attempts, their tokens and their price: counted high, with every answer as long as it may be."""

    calls: int
    prompt_tokens: int
    completion_tokens: int
    usd: float


def estimate(bodies: Iterable[Mapping[str, Any]], params: LlmParams) -> Estimate:
    """What requests may cost; what is sent again comes on top."""
    wanted = list(bodies)
    prompt = sum(map(prompt_tokens_of, wanted))
    completion = sum(
        int(body.get("max_completion_tokens") or body.get("max_tokens") or _COMPLETION_TOKENS)
        for body in wanted
    )
    return Estimate(len(wanted), prompt, completion, params.usd(prompt, completion))


def prompt_tokens_of(body: Mapping[str, Any]) -> int:
    """Tokens of a request's prompt: of each message and of the form of the answer, rounded up."""
    tokens = 0
    for message in body["messages"]:
        content = message["content"]
        parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
        tokens += _MESSAGE_TOKENS
        tokens += sum(
            _count(part["text"]) if part["type"] == "text" else IMAGE_TOKENS for part in parts
        )
    form = body.get("response_format")
    return tokens + (_count(json.dumps(form)) if form else 0)


def _count(text: str) -> int:
    """Tokens of a text, seldom too few.

    A token of the vocabularies in use covers at least one byte, and of digits some never join two: for these
    and for what isn't ASCII the count is never too low.
    """
    ascii_only = text.encode("ascii", "ignore")
    num_digits = sum(map(ascii_only.count, _DIGITS))
    single = len(text.encode("utf-8", "replace")) - len(ascii_only) + num_digits
    return single + math.ceil((len(ascii_only) - num_digits) / ASCII_A_TOKEN)


@dataclass
class Budget:
    """Counts calls and money over all rounds of a run."""

    params: LlmParams
    calls: int = 0  # failed ones included
    num_in_flight: int = 0
    _reserved: float = 0.0
    _spent: float = 0.0

    @property
    def spent_usd(self) -> float | None:
        """Without prices, None; calls that may have been billed without telling count as estimated."""
        return self._spent if self.params.has_prices else None

    def has_calls(self) -> bool:
        most = self.params.max_calls
        return most is None or self.calls < most

    def has_money(self, estimate: Estimate) -> bool:
        """Whether this call can be paid, those in flight included."""
        most = self.params.max_cost_usd
        return most is None or self._spent + self._reserved + estimate.usd <= most

    def begin(self, estimate: Estimate) -> None:
        """A call is sent."""
        self.calls += 1
        self.num_in_flight += 1
        self._reserved += estimate.usd

    def end(self, estimate: Estimate, reply: Reply | None, *, is_billed: bool) -> None:
        """A call is over; tokens that the server does not tell count as estimated if it may bill them."""
        self.num_in_flight -= 1
        self._reserved -= estimate.usd
        if is_billed:
            prompt = None if reply is None else reply.prompt_tokens
            completion = None if reply is None else reply.completion_tokens
            self._spent += self.params.usd(
                estimate.prompt_tokens if prompt is None else prompt,
                estimate.completion_tokens if completion is None else completion,
            )
