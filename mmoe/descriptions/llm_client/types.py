"""A question for a language model, and what came of it: the border between who writes and who asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

ANSWERED = "answered"
REFUSED = "refused"  # by the model
CUT = "cut"  # finish_reason "length": usual where one token was asked for
FILTERED = "filtered"  # by the server
EMPTY = "empty"  # neither text nor refusal
BAD_REQUEST = "bad request"
TOO_LONG = "context too long"
NOT_JSON = "not json"  # with status 200
ERROR_REPLY = "error reply"  # an error object with status 200
NO_CHOICES = "no choices"
GAVE_UP = "gave up"  # after all attempts

REJECTED = frozenset({BAD_REQUEST, TOO_LONG})  # the server's settings may change
FINAL = frozenset({ANSWERED, REFUSED, CUT, FILTERED, EMPTY}) | REJECTED


@dataclass(frozen=True, slots=True)
class Request:
    """One question as it will be sent.

    Attributes:
        key: content hash of the body and of the server's address; holds nothing secret.
        body: arguments of chat.completions.create, such as model, messages and temperature.
    """

    key: str
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of a question; can be written as JSON.

    Attributes:
        outcome: one of the constants above.
        text: of the message; a part of it where the outcome is "cut".
        top_tokens: candidates for the first token that was generated, each with its log-probability.
        prompt_tokens, completion_tokens: as the server counts them; None if it does not say.
        model, fingerprint: by which the server says that it answered.
        error: the server's own words on one line.
        left_out: what of the body the call that was answered went without, as `parameters.left_out_of` says;
            None if that was not recorded.
    """

    key: str
    outcome: str
    text: str | None = None
    top_tokens: list[tuple[str, float]] | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    model: str | None = None
    fingerprint: str | None = None
    error: str | None = None
    left_out: tuple[str, ...] | None = ()
