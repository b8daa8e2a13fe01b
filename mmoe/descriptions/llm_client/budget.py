"""What was spent, what is under way, and whether one more call may be paid."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from mmoe.descriptions.llm_client.settings import AskSettings

MILLION = 1_000_000
_TOKENS_A_BYTE = 0.4  # cautious, until the server's own counts are known; English has about 0.25
# At most, for an image of up to 512 pixels. OpenAI's prices of vision count 85 tokens for low detail, which
# is what we send, with GPT-4o, but 2,833 with GPT-4o mini; high detail, which we never ask for, would add 170
# or 5,667 for a tile of 512 pixels. Open models that cut an image into tiles take as many: LLaVA-NeXT 2,880.
IMAGE_TOKENS = 3000
_COMPLETION_TOKENS = 256  # where the question sets no limit


class Estimate(NamedTuple):
    """Of one call: bytes of its text, tokens of both directions, US dollars."""

    num_bytes: int
    prompt_tokens: float
    completion_tokens: int
    usd: float


class Budget:
    """Counts calls and money.

    Attributes:
        calls: that were sent.
        tokens_a_call: mean over the answers whose tokens are known, or else 0.
    """

    def __init__(self, settings: AskSettings) -> None:
        self._settings = settings
        self.calls = 0
        self._spent = self._under_way = 0.0
        self._known_bytes = self._known_tokens = self._all_tokens = self._known_calls = 0

    @property
    def spent_usd(self) -> float | None:
        """Without prices, None; calls that may have been billed without telling count as estimated."""
        return None if self._settings.prices is None else self._spent

    @property
    def tokens_a_call(self) -> float:
        return self._all_tokens / self._known_calls if self._known_calls else 0.0

    def estimate(self, body: Mapping[str, Any]) -> Estimate:
        """Of a call, by the tokens of those before it."""
        num_bytes, images = _size(body.get("messages", []))
        # A schema counts as text of the prompt.
        num_bytes += len(json.dumps(body.get("response_format") or "", ensure_ascii=False).encode())
        rate = self._known_tokens / self._known_bytes if self._known_bytes else _TOKENS_A_BYTE
        prompt = num_bytes * rate + images * IMAGE_TOKENS
        limit = body.get("max_completion_tokens") or body.get("max_tokens")
        completion = int(limit) if limit else _COMPLETION_TOKENS
        return Estimate(
            num_bytes if not images else 0, prompt, completion, self._usd(prompt, completion)
        )

    def has_calls(self) -> bool:
        most = self._settings.max_calls
        return most is None or self.calls < most

    def has_money(self, estimate: Estimate) -> bool:
        """Whether this call can be paid, those under way included."""
        most = self._settings.max_cost_usd
        return most is None or self._spent + self._under_way + estimate.usd <= most

    def begin(self, estimate: Estimate) -> None:
        """A call is sent."""
        self.calls += 1
        self._under_way += estimate.usd

    def end(
        self,
        estimate: Estimate,
        prompt_tokens: int | None,
        completion_tokens: int | None,
        *,
        is_billed: bool,
    ) -> None:
        """A call is over; tokens that the server does not tell count as estimated if it may bill them."""
        self._under_way -= estimate.usd
        if prompt_tokens is not None:
            self._known_calls += 1
            self._all_tokens += prompt_tokens + (completion_tokens or 0)
            if estimate.num_bytes:
                self._known_bytes += estimate.num_bytes
                self._known_tokens += prompt_tokens
        if is_billed:
            prompt = estimate.prompt_tokens if prompt_tokens is None else prompt_tokens
            told = completion_tokens
            self._spent += self._usd(prompt, estimate.completion_tokens if told is None else told)

    def _usd(self, prompt_tokens: float, completion_tokens: float) -> float:
        prices = self._settings.prices
        if prices is None:
            return 0.0
        return (prompt_tokens * prices.prompt + completion_tokens * prices.completion) / MILLION


def _size(messages: Any) -> tuple[int, int]:
    """Bytes of the text of messages, and their images."""
    num_bytes = images = 0
    for message in messages:
        content = message.get("content") or ""
        parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
        for part in parts:
            if part.get("type") == "text":
                num_bytes += len(part["text"].encode())
            else:
                images += 1
    return num_bytes, images
