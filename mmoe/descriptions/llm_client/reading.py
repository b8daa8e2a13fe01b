"""Reads a chat completion, whatever of it is missing or of another shape than documented."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mmoe.descriptions.llm_client.key import ApiKey
from mmoe.descriptions.llm_client.types import (
    ANSWERED,
    CUT,
    EMPTY,
    FILTERED,
    NO_CHOICES,
    REFUSED,
    Reply,
)


def read_completion(key: str, content: Mapping[str, Any], secret: ApiKey) -> tuple[Reply, bool]:
    """The reply to the question `key`, and whether it is so odd that another attempt may mend it."""
    choices = content.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, dict) else None
    usage = _dict(content.get("usage"))
    reply = Reply(
        key,
        NO_CHOICES,
        prompt_tokens=_count(usage.get("prompt_tokens")),
        completion_tokens=_count(usage.get("completion_tokens")),
        model=_text(content.get("model"), secret),
        fingerprint=_text(content.get("system_fingerprint"), secret),
    )
    if not isinstance(choice, dict) or not isinstance(message, dict):
        return replace(reply, error="no choices in the answer"), True
    text, tokens = _text(_joined(message.get("content")), secret), _top_tokens(choice, secret)
    refusal, finish = message.get("refusal"), choice.get("finish_reason")
    if isinstance(refusal, str) and refusal:
        return replace(reply, outcome=REFUSED, text=text, error=secret.line(refusal)), False
    if finish == "content_filter":
        return replace(reply, outcome=FILTERED, text=text), False
    if finish == "length":
        return replace(reply, outcome=CUT, text=text, top_tokens=tokens), False
    if not text and not tokens:
        why = secret.line(f"no text, finish_reason {finish}")
        return replace(reply, outcome=EMPTY, error=why), True
    return replace(reply, outcome=ANSWERED, text=text, top_tokens=tokens), False


def _joined(content: Any) -> Any:
    """The text of a content; some servers send it in parts."""
    if not isinstance(content, list):
        return content
    return "".join(
        part["text"]
        for part in content
        if isinstance(part, dict) and isinstance(part.get("text"), str)
    )


def _top_tokens(choice: Mapping[str, Any], secret: ApiKey) -> list[tuple[str, float]] | None:
    """The candidates for the first token; None if the server tells none."""
    content = _dict(choice.get("logprobs")).get("content")
    if not isinstance(content, list) or not content:
        return None
    entries = _dict(content[0]).get("top_logprobs")
    pairs = [
        (secret.out_of(entry["token"]), float(entry["logprob"]))
        for entry in (entries if isinstance(entries, list) else [])
        if isinstance(entry, dict)
        and isinstance(entry.get("token"), str)
        and isinstance(entry.get("logprob"), int | float)
        and math.isfinite(entry["logprob"])
    ]
    return pairs or None


def _dict(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _text(value: Any, secret: ApiKey) -> str | None:
    return secret.out_of(value) if isinstance(value, str) else None
