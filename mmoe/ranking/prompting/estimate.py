"""What questions will cost, before any of them is sent."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from mmoe.ranking.asking import Prices, Request
from mmoe.ranking.asking.budget import PICTURE_TOKENS

# At least: our prompts of English names and sentences have 3.7 to 4.7, a Chinese character is three bytes and
# about one token. So that the sum holds with small vocabularies, too, such as LLaMA2's.
BYTES_A_TOKEN = 3
_MESSAGE_TOKENS = 4  # role and marks around each message

Tokenizer = Callable[[str], int]  # the number of tokens of a text


@dataclass(frozen=True)
class Estimate:
    """What is about to be sent.

    Attributes:
        calls: distinct questions.
        prompt_tokens: at most, as far as `how` holds.
        completion_tokens: at most; every answer as long as it may be.
        how: how the tokens were counted.
    """

    calls: int
    prompt_tokens: int
    completion_tokens: int
    how: str


def estimate(requests: Iterable[Request], tokenizer: Tokenizer | None = None) -> Estimate:
    """Calls and tokens of questions; equal ones are asked once and count once.

    Args:
        tokenizer: counts the tokens of a text; None to take bytes / 3.
    """
    distinct = {request.key: request.body for request in requests}
    counted = "as the tokenizer counts" if tokenizer else f"UTF-8 bytes / {BYTES_A_TOKEN}"
    return Estimate(
        calls=len(distinct),
        prompt_tokens=sum(estimated_tokens(body, tokenizer) for body in distinct.values()),
        completion_tokens=sum(_most_tokens(body) for body in distinct.values()),
        how=(
            f"prompt: {counted}, {_MESSAGE_TOKENS} a message, {PICTURE_TOKENS:,} a "
            "picture; answers: their limit"
        ),
    )


def estimated_tokens(body: Mapping[str, Any], tokenizer: Tokenizer | None = None) -> int:
    """Tokens of a question's prompt: of each message and of the form of the answer, rounded up.

    Args:
        body: arguments of chat.completions.
        tokenizer: as `estimate`.
    """
    count = tokenizer or _count
    tokens = 0
    for message in body["messages"]:
        content = message["content"]
        parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
        tokens += _MESSAGE_TOKENS
        tokens += sum(
            count(part["text"]) if part["type"] == "text" else PICTURE_TOKENS for part in parts
        )
    form = body.get("response_format")
    return tokens + (count(json.dumps(form)) if form else 0)


def cost(estimate: Estimate, prices: Prices) -> float:
    """US dollars, at most what the estimate's answers can cost."""
    prompt = estimate.prompt_tokens * prices.prompt
    return (prompt + estimate.completion_tokens * prices.completion) / 1_000_000


def _count(text: str) -> int:
    # Bytes, not characters: a Chinese character is about one token and three bytes.
    return math.ceil(len(text.encode()) / BYTES_A_TOKEN)


def _most_tokens(body: Mapping[str, Any]) -> int:
    return int(body.get("max_completion_tokens") or body.get("max_tokens") or 0)
