"""What questions will cost, before any of them is sent."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from mmoe.descriptions.llm_client import Prices, Request
from mmoe.descriptions.llm_client.budget import IMAGE_TOKENS

# Of ASCII without digits. Our prompts of English names and sentences have about 4 with OpenAI's vocabularies;
# smaller ones, such as LLaMA2's, make more tokens. Rare names and rows of signs may have fewer than 3.
ASCII_A_TOKEN = 3
_DIGITS = b"0123456789"
_MESSAGE_TOKENS = 4  # role and marks around each message

Tokenizer = Callable[[str], int]  # the number of tokens of a text


@dataclass(frozen=True)
class Estimate:
    """What is about to be sent.

    Attributes:
        calls: distinct questions.
        prompt_tokens: of first attempts, counted high rather than low.
        completion_tokens: of first attempts, at most; every answer as long as it may be.
        how: how the tokens were counted.
    """

    calls: int
    prompt_tokens: int
    completion_tokens: int
    how: str


def estimate(requests: Iterable[Request], tokenizer: Tokenizer | None = None) -> Estimate:
    """Calls and tokens of questions; equal ones are asked once and count once.

    What is asked again, after a fault or because it was too long, comes on top.

    Args:
        tokenizer: counts the tokens of a text; None to go by its bytes.
    """
    distinct = {request.key: request.body for request in requests}
    by_bytes = f"a token for {ASCII_A_TOKEN} ASCII characters, a digit or a byte of other letters"
    counted = "as the tokenizer counts" if tokenizer else by_bytes
    return Estimate(
        calls=len(distinct),
        prompt_tokens=sum(estimated_tokens(body, tokenizer) for body in distinct.values()),
        completion_tokens=sum(_most_tokens(body) for body in distinct.values()),
        how=(
            f"prompt: {counted}, {_MESSAGE_TOKENS} a message, {IMAGE_TOKENS:,} a "
            "image; answers: their limit"
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
            count(part["text"]) if part["type"] == "text" else IMAGE_TOKENS for part in parts
        )
    form = body.get("response_format")
    return tokens + (count(json.dumps(form)) if form else 0)


def cost(estimate: Estimate, prices: Prices) -> float:
    """US dollars for the estimate's tokens."""
    prompt = estimate.prompt_tokens * prices.prompt
    return (prompt + estimate.completion_tokens * prices.completion) / 1_000_000


def _count(text: str) -> int:
    """Tokens of a text, seldom too few.

    A token of the vocabularies in use covers at least one byte, and of digits some never join two: for these
    and for what isn't ASCII the count is never too low.
    """
    ascii_only = text.encode("ascii", "ignore")
    num_digits = sum(map(ascii_only.count, _DIGITS))
    single = len(text.encode()) - len(ascii_only) + num_digits
    return single + math.ceil((len(ascii_only) - num_digits) / ASCII_A_TOKEN)


def _most_tokens(body: Mapping[str, Any]) -> int:
    return int(body.get("max_completion_tokens") or body.get("max_tokens") or 0)
