"""Parameters that a server or a model refuses, and how the run goes on without them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any

_LENGTHS = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}
_DROPPED_WITH = {"logprobs": ("logprobs", "top_logprobs")}
DROPPABLE = frozenset(
    {"temperature", "seed", "response_format", "logprobs", "top_logprobs", *_LENGTHS}
)

_CODES = frozenset({"unsupported_parameter", "unsupported_value", "unknown_parameter"})
_REFUSAL = re.compile(
    r"unsupported|not support|unrecogni[sz]ed|unknown (?:parameter|argument|field)"
    r"|extra (?:inputs|fields) (?:are )?not (?:permitted|allowed)",
    re.IGNORECASE,
)
_NAME = re.compile(rf"\b({'|'.join(sorted(DROPPABLE, key=len, reverse=True))})\b")


def refused_parameter(error: Mapping[str, Any]) -> str | None:
    """The parameter that an error object complains about, if it is one that can be left out."""
    message = str(error.get("message") or "")
    if error.get("code") not in _CODES and not _REFUSAL.search(message):
        return None
    named = _NAME.search(str(error.get("param") or "")) or _NAME.search(message)
    return named[1] if named else None


class Parameters:
    """What the server was found to refuse; holds for the whole run.

    Attributes:
        left_out: calls that were sent without a parameter, by its name; one that goes under its other name
            counts as "old name -> new name".
    """

    def __init__(self) -> None:
        self.left_out: Counter[str] = Counter()
        self._refused: set[str] = set()

    def fit(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """The body as the server takes it."""
        fitted: dict[str, Any] = {}
        for name, value in body.items():
            other = _LENGTHS.get(name)
            if name not in self._refused:
                fitted[name] = value
            elif other is not None and other not in self._refused:
                fitted[other] = value
                self.left_out[f"{name} -> {other}"] += 1
            else:
                self.left_out[name] += 1
        return fitted

    def refuse(self, name: str, sent: Collection[str]) -> bool:
        """Notes that the server refused a parameter; returns whether another attempt differs.

        Args:
            sent: names in the body that was refused.
        """
        names = [one for one in _DROPPED_WITH.get(name, (name,)) if one in sent]
        self._refused.update(names)
        return bool(names)
