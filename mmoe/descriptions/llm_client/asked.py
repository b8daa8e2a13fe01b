"""What came of a run: replies, counts, and why it ended."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from mmoe.descriptions.llm_client.types import Reply
from mmoe.errors import RankingError


@dataclass
class Asked:
    """What came of a run.

    Attributes:
        replies: by the question's key; questions that were not asked have none.
        questions: that differ from each other.
        cache_hits: of them, those whose replies were kept from before.
        calls: that were sent, failed ones included.
        spent_usd: at the prices of the settings; None without prices.
        seconds: of the run.
        retries: attempts that were made again, by kind.
        left_out: calls sent without what the server refuses, by what that was, as of a reply.
        oddities: of replies that could be used nevertheless, by kind.
        stopped_by: what ended the run early: key, permission, model, address, quota, server, wait,
            batch, max_calls, max_cost_usd or offline; None if nothing did.
        stopped: the same as a line for the user, with the number of questions left.
    """

    replies: dict[str, Reply] = field(default_factory=dict)
    questions: int = 0
    cache_hits: int = 0
    calls: int = 0
    spent_usd: float | None = None
    seconds: float = 0.0
    retries: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    oddities: Counter[str] = field(default_factory=Counter)
    stopped_by: str | None = None
    stopped: str | None = None

    @property
    def outcomes(self) -> Counter[str]:
        """Questions by what came of them."""
        return Counter(reply.outcome for reply in self.replies.values())

    @property
    def left(self) -> int:
        """Questions that were not asked, or not to the end."""
        return self.questions - len(self.replies)

    def raise_if_stopped(self) -> None:
        """Raises:
        RankingError: if the run ended early.
        """
        if self.stopped is not None:
            raise RankingError(self.stopped)

    def log(self) -> dict[str, Any]:
        """Times, retries and money, which differ from run to run, for a file beside the ledger."""
        return {
            "questions": self.questions,
            "cache_hits": self.cache_hits,
            "calls": self.calls,
            "left": self.left,
            "seconds": round(self.seconds, 3),
            "spent_usd": self.spent_usd,
            "outcomes": dict(sorted(self.outcomes.items())),
            "retries": dict(sorted(self.retries.items())),
            "left_out": dict(sorted(self.left_out.items())),
            "oddities": dict(sorted(self.oddities.items())),
            "stopped": self.stopped,
        }
