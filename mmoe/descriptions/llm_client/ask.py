"""From a list of questions to a reply for each, asked at most once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

from filelock import FileLock, Timeout

from mmoe.descriptions.llm_client.asked import Asked
from mmoe.descriptions.llm_client.budget import Budget
from mmoe.descriptions.llm_client.cache import FILE, ReplyCache
from mmoe.descriptions.llm_client.key import ApiKey
from mmoe.descriptions.llm_client.pace import CLOCK, Clock
from mmoe.descriptions.llm_client.progress import QuestionBar, say
from mmoe.descriptions.llm_client.run import AskingRun
from mmoe.descriptions.llm_client.settings import AskSettings
from mmoe.descriptions.llm_client.types import FINAL, Reply, Request
from mmoe.descriptions.llm_client.way import Run
from mmoe.files import content_key


def ask_all(
    requests: Iterable[Request],
    settings: AskSettings,
    on_reply: Callable[[Reply], None] = lambda _: None,
    clock: Clock = CLOCK,
    refused: set[str] | None = None,
    budget: Budget | None = None,
) -> Asked:
    """Asks every question whose reply is not kept yet; equal ones once.

    Of runs that share a cache folder, a server and a model, one asks at a time; the others wait and then
    take its replies. A reply is on disk before the next step, so that a killed run repeats only what was
    under way.

    Args:
        on_reply: called with each reply, kept ones included, in no certain order.
        refused: what the server was found to refuse before; what is found now is added.
        budget: what was spent before and counts to the same limits; what is spent now is added.
    Returns:
        replies and counts; `stopped` says whether and why the run ended early. All replies are kept then.
    Raises:
        RankingError: if the cache can't be used or the key can't be one.
    """
    return collect(AskingRun, requests, settings, on_reply, clock, refused, budget)


def collect(
    way: type[Run],
    requests: Iterable[Request],
    settings: AskSettings,
    on_reply: Callable[[Reply], None],
    clock: Clock,
    refused: set[str] | None,
    budget: Budget | None,
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
                    _ask(way, missing, settings, cache, take, clock, refused, budget, asked)
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
    way: type[Run],
    missing: Sequence[Request],
    settings: AskSettings,
    cache: ReplyCache,
    take: Callable[[Reply], None],
    clock: Clock,
    refused: set[str] | None,
    budget: Budget | None,
    asked: Asked,
) -> None:
    """Asks, and writes down what it has cost and why it ended."""
    secret = ApiKey.from_environment()
    say(f"questions that go to {settings.host}{way.name}: {len(missing):,}")
    with QuestionBar(len(missing)) as bar:

        def keep(reply: Reply) -> None:
            if reply.outcome in FINAL:
                cache.put(reply)

        def keep_and_take(reply: Reply) -> None:
            keep(reply)
            bar.count(run.budget.spent_usd)
            take(reply)

        run = way(settings, secret, keep_and_take, keep, clock, refused, budget)
        calls, spent_usd = run.budget.calls, run.budget.spent_usd
        try:
            asyncio.run(run.connect_and_ask(missing))
        except ExceptionGroup as group:
            raise group.exceptions[0] from None
    asked.calls = run.budget.calls - calls
    if run.budget.spent_usd is not None and spent_usd is not None:
        asked.spent_usd = run.budget.spent_usd - spent_usd
    asked.retries, asked.oddities = run.retries, run.oddities
    asked.left_out = run.parameters.left_out
    if asked.left_out:
        counts = ", ".join(f"{name}: {count:,}" for name, count in asked.left_out.items())
        say(f"calls without what the server refuses ({counts})")
    if run.stop is not None:
        asked.stopped_by, asked.stopped = run.stop.by, _line(run.stop.why, asked.left)


def _line(why: str, left: int) -> str:
    return f"{why}; {left:,} questions are left, all replies so far are kept for the next run"
