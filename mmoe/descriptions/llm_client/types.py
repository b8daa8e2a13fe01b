"""A request to a language model, the reply to it, and what came of a round of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from mmoe.errors import RankingError


class Outcome(StrEnum):
    """What came of a request in the end."""

    ANSWERED = "answered"
    REFUSED = "refused"  # by the model
    CUT = "cut"  # finish_reason "length": usual where one token was asked for
    FILTERED = "filtered"  # by the server
    EMPTY = "empty"  # neither text nor refusal
    BAD_REQUEST = "bad request"
    TOO_LONG = "context too long"
    NO_COMPLETION = "no completion"  # with status 200: an error, no JSON, or JSON of another kind
    GAVE_UP = "gave up"  # after all attempts


REJECTED = frozenset({Outcome.BAD_REQUEST, Outcome.TOO_LONG})  # the server's settings may change
PASSING = frozenset({Outcome.NO_COMPLETION, Outcome.GAVE_UP})


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it will be sent.

    Attributes:
        key: content hash of the body and of the server's address; holds nothing secret.
        body: arguments of chat.completions.create, such as model, messages and temperature.
    """

    key: str
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of a request; can be written as JSON.

    Attributes:
        text: of the message; a part of it where the outcome is "cut".
        top_tokens: candidates for the first token that was generated, each with its log-probability.
        prompt_tokens, completion_tokens: as the server counts them; None if it does not say.
        model, fingerprint: by which the server says that it answered.
        error: the server's own words on one line.
        left_out: what of the body the call that was answered went without, as `Fallbacks.fit` says.
    """

    key: str
    outcome: Outcome
    text: str | None = None
    top_tokens: list[tuple[str, float]] | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    model: str | None = None
    fingerprint: str | None = None
    error: str | None = None
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Stop:
    """Nothing more of this run can be answered: the kind of reason (key, permission, model, address, quota,
    server, wait, batch, max_calls or max_cost_usd), and the reason in words.
    """

    by: str
    why: str


@dataclass
class Round:
    """What came of a list of requests."""

    requests: int = 0  # that differ from each other
    replies: dict[str, Reply] = field(default_factory=dict)  # by the request's key
    cache_hits: int = 0  # replies that were kept from before
    calls: int = 0  # failed ones included
    spent_usd: float | None = None  # without prices, None
    seconds: float = 0.0
    retries: Counter[str] = field(default_factory=Counter)  # by kind
    left_out: Counter[str] = field(default_factory=Counter)  # calls by what they went without
    stop: Stop | None = None  # what ended it early

    @property
    def outcomes(self) -> Counter[str]:
        """Requests by what came of them."""
        return Counter(reply.outcome for reply in self.replies.values())

    @property
    def left(self) -> int:
        """Requests without a reply."""
        return self.requests - len(self.replies)

    @property
    def stopped(self) -> str | None:
        """Why it ended early, as a line for the user."""
        if self.stop is None:
            return None
        kept = "all replies so far are kept for the next run"
        return f"{self.stop.why}; {self.left:,} questions are left, {kept}"

    def raise_if_stopped(self) -> None:
        """Raises RankingError if the round ended early."""
        if self.stop is not None:
            raise RankingError(self.stopped)

    def log(self) -> dict[str, Any]:
        """Times, retries and money, which differ from run to run, for the log beside the outs."""
        names = ("cache_hits", "calls", "left", "spent_usd", "stopped")
        counters = ("outcomes", "retries", "left_out")
        return {
            "questions": self.requests,
            "seconds": round(self.seconds, 3),
            **{name: getattr(self, name) for name in names},
            **{name: dict(sorted(getattr(self, name).items())) for name in counters},
        }
