"""What a user sees while questions are asked: where they go, how many are done, the time left."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Any, Self

from tqdm import tqdm


def say(line: str) -> None:
    print(f"rank: {line}", file=sys.stderr, flush=True)


class QuestionBar:
    """A bar on stderr; only where somebody watches, so that logs stay short."""

    def __init__(self, questions: int) -> None:
        self._bar: tqdm[Any] = tqdm(
            total=questions, desc="rank", unit=" questions", file=sys.stderr, disable=None
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.close()

    def count(self, spent_usd: float | None) -> None:
        """One more is done."""
        if spent_usd is not None:
            self._bar.set_postfix_str(f"{spent_usd:.2f} USD", refresh=False)
        self._bar.update()
