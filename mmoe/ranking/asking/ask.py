"""From a list of questions to a reply for each, asked at most once."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from filelock import FileLock, Timeout

from mmoe.errors import RankingError
from mmoe.files import content_key
from mmoe.ranking.asking.budget import Budget
from mmoe.ranking.asking.cache import FILE, ReplyCache
from mmoe.ranking.asking.key import ApiKey
from mmoe.ranking.asking.pace import CLOCK, Clock
from mmoe.ranking.asking.parameters import Parameters
from mmoe.ranking.asking.progress import QuestionBar, say
from mmoe.ranking.asking.run import AskingRun
from mmoe.ranking.asking.settings import AskSettings
from mmoe.ranking.asking.types import FINAL, Reply, Request
from mmoe.ranking.asking.verdict import Stop


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
        left_out: calls sent without a parameter that the server refuses, by parameter.
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


def ask_all(
    requests: Iterable[Request],
    settings: AskSettings,
    on_reply: Callable[[Reply], None] = lambda _: None,
    clock: Clock = CLOCK,
) -> Asked:
    """Asks every question whose reply is not kept yet; equal ones once.

    Of runs that share a cache folder, a server and a model, one asks at a time; the others wait and then
    take its replies. A reply is on disk before the next step, so that a killed run repeats only what was
    under way.

    Args:
        on_reply: called with each reply, kept ones included, in no certain order.
    Returns:
        replies and counts; `stopped` says whether and why the run ended early. All replies are kept then.
    Raises:
        RankingError: if the cache can't be used or the key can't be one.
    """
    return collect(requests, settings, on_reply, clock, _ask)


Way = Callable[
    [Sequence[Request], AskSettings, ReplyCache, Callable[[Reply], None], Clock, Asked], None
]


def collect(
    requests: Iterable[Request],
    settings: AskSettings,
    on_reply: Callable[[Reply], None],
    clock: Clock,
    way: Way,
) -> Asked:
    """Takes the replies that are kept and gets the others by one way of asking."""
    begun = time.monotonic()
    distinct = {request.key: request for request in requests}
    asked = Asked(questions=len(distinct), spent_usd=None if settings.prices is None else 0.0)

    def take(reply: Reply) -> None:
        asked.replies[reply.key] = reply
        on_reply(reply)

    with ReplyCache(settings.cache_folder, clock.wall) as cache:
        missing = _take_kept(distinct.values(), cache, take)
        asked.cache_hits = len(asked.replies)
        if missing and settings.offline:
            asked.stopped_by, asked.stopped = "offline", _line("offline", len(missing))
        elif missing:
            with _turn(settings, missing):
                # The run that had its turn before may have asked the same.
                missing = _take_kept(missing, cache, take)
                asked.cache_hits = len(asked.replies)
                if missing:
                    way(missing, settings, cache, take, clock, asked)
    asked.seconds = time.monotonic() - begun
    return asked


def _take_kept(
    requests: Iterable[Request], cache: ReplyCache, take: Callable[[Reply], None]
) -> list[Request]:
    """Takes the replies that are kept; returns the questions without one."""
    wanted = list(requests)
    kept = cache.get([request.key for request in wanted])
    for reply in kept.values():
        take(reply)
    return [request for request in wanted if request.key not in kept]


@contextmanager
def _turn(settings: AskSettings, requests: Sequence[Request]) -> Iterator[None]:
    """Waits until no other run asks the same model; the lock of a killed run is free at once."""
    models = sorted({str(request.body.get("model")) for request in requests})
    with ExitStack() as stack:
        for model in models:
            name = f"{FILE}.{content_key(settings.url, model)}.asking"
            lock = FileLock(settings.cache_folder / name)
            try:
                stack.enter_context(lock.acquire(timeout=0))
            except Timeout:
                say("another run asks the same model; waiting for it")
                stack.enter_context(lock.acquire())
        yield


def _ask(
    missing: Sequence[Request],
    settings: AskSettings,
    cache: ReplyCache,
    take: Callable[[Reply], None],
    clock: Clock,
    asked: Asked,
) -> None:
    secret = ApiKey.from_environment()
    say(f"questions that go to {settings.host}: {len(missing):,}")
    with QuestionBar(len(missing)) as bar:

        def keep(reply: Reply) -> None:
            if reply.outcome in FINAL:
                cache.put(reply)
            bar.count(run.budget.spent_usd)
            take(reply)

        run = AskingRun(settings, secret, keep, clock)
        try:
            asyncio.run(_connect_and_ask(run, missing, settings, secret))
        except ExceptionGroup as group:
            raise group.exceptions[0] from None
    note(asked, run.budget, run.parameters, run.stop)
    asked.retries, asked.oddities = run.retries, run.oddities


def note(asked: Asked, budget: Budget, parameters: Parameters, stop: Stop | None) -> None:
    """Writes down what a run has cost, and why it ended."""
    asked.calls, asked.spent_usd = budget.calls, budget.spent_usd
    asked.left_out = parameters.left_out
    if stop is not None:
        asked.stopped_by, asked.stopped = stop.by, _line(stop.why, asked.left)


async def _connect_and_ask(
    run: AskingRun, missing: Sequence[Request], settings: AskSettings, secret: ApiKey
) -> None:
    # Imported here: it takes longer to load than a run that has all replies.
    from mmoe.ranking.asking.connection import Connection

    async with Connection(settings, secret) as connection:
        await run.ask(missing, connection)


def _line(why: str, left: int) -> str:
    return f"{why}; {left:,} questions are left, all replies so far are kept for the next run"
