"""From a list of requests to a reply for each, each sent at most once."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import platformdirs
from filelock import FileLock, Timeout
from tqdm import tqdm

from mmoe.config.llm import LlmParams
from mmoe.descriptions.llm_client.budget import Budget
from mmoe.descriptions.llm_client.cache import FILE, ReplyCache
from mmoe.descriptions.llm_client.fallbacks import Fallbacks
from mmoe.descriptions.llm_client.key import ApiKey
from mmoe.descriptions.llm_client.session import Clock, Session
from mmoe.descriptions.llm_client.types import Request, Round
from mmoe.errors import RankingError
from mmoe.files import content_key

CACHE = "MMOE_CACHE"  # folder of replies in place of the user's cache folder
OPENAI = "https://api.openai.com/v1"


def default_cache_folder() -> Path:
    """Where replies are kept: MMOE_CACHE, or else the user's cache folder."""
    return Path(os.environ.get(CACHE) or platformdirs.user_cache_dir("mmoe"))


def server_url(base_url: str | None) -> str:
    """The server's address without a slash at its end; OPENAI_BASE_URL is not looked at.

    Raises:
        RankingError: if it is no web address, or holds what may be secret.
    """
    url = (base_url or OPENAI).rstrip("/")
    try:
        parts = urlsplit(url)
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname)
        _ = parts.port
    except ValueError:
        is_address = False
    if not is_address:
        raise RankingError(
            "rank.base_url: not an address of a server; write it like http://localhost:8000/v1"
        )
    if parts.username or parts.password or parts.query or parts.fragment:
        raise RankingError(
            f"rank.base_url: the address at {parts.hostname} holds a login or a query, which would be kept "
            "in files; leave it out and put the key into OPENAI_API_KEY"
        )
    return url


def say(line: str) -> None:
    print(f"rank: {line}", file=sys.stderr, flush=True)


@dataclass
class LlmClient:
    """A run's requests to one server; the limits of calls and money hold over all its rounds together.

    Attributes:
        base_url: of an OpenAI-compatible server; None for OpenAI itself. Its key comes from the environment.
        params: pace, prices and limits.
        cache_folder: where replies are kept.
        timeout: seconds for a whole answer.
        concurrency: requests that may be in flight at the same time.
        budget: what was spent so far.
        fallbacks: what the server was found to refuse.
    Raises:
        RankingError: if the address is wrong.
    """

    base_url: str | None = None
    params: LlmParams = field(default_factory=LlmParams)
    cache_folder: Path = field(default_factory=default_cache_folder)
    timeout: float = 60.0
    concurrency: int = 64
    clock: Clock = field(default_factory=Clock, repr=False)
    budget: Budget = field(init=False, repr=False)
    fallbacks: Fallbacks = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.url = server_url(self.base_url)
        self.budget, self.fallbacks = Budget(self.params), Fallbacks()

    @property
    def host(self) -> str:
        """The server's name, for messages."""
        return urlsplit(self.url).netloc

    def complete(self, requests: Iterable[Request]) -> Round:
        """Sends every request whose reply is not kept yet; equal ones once, and all to one model.

        Of runs that share a cache folder, a server and a model, one sends at a time; the others wait and then
        take its replies. A reply is on disk before the next step, so that a killed run repeats only what was
        in flight; batches that it has started are taken up.

        Returns:
            Replies and counts; `stopped` says whether and why it ended early. All replies are kept then.
        Raises:
            RankingError: if the cache can't be used or the key can't be one.
        """
        begun = time.monotonic()
        distinct = {request.key: request for request in requests}
        found = Round(len(distinct), spent_usd=0.0 if self.params.has_prices else None)
        with ReplyCache(self.cache_folder, self.clock.wall) as cache:
            if missing := _take_kept(distinct.values(), cache, found):
                with self._turn(missing[0].body.get("model")):
                    # The run that had its turn before may have sent the same.
                    if missing := _take_kept(missing, cache, found):
                        self._send(missing, cache, found)
        found.seconds = time.monotonic() - begun
        return found

    @contextmanager
    def _turn(self, model: object) -> Iterator[None]:
        """Waits until no other run asks the same model; the lock of a killed run is free at once."""
        lock = FileLock(self.cache_folder / f"{FILE}.{content_key(self.url, str(model))}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            say("another run asks the same model; waiting for it")
            lock.acquire()
        try:
            yield
        finally:
            lock.release()

    def _send(self, missing: Sequence[Request], cache: ReplyCache, found: Round) -> None:
        """Sends, and writes down what it has cost and why it ended."""
        secret = ApiKey.from_environment()
        is_batch = self.params.mode == "batch"
        say(f"questions that go to {self.host}{', in batches' * is_batch}: {len(missing):,}")
        calls, spent = self.budget.calls, self.budget.spent_usd or 0.0
        # Only where somebody watches, so that logs stay short.
        with tqdm(total=len(missing), desc="rank", unit=" questions", disable=None) as bar:
            session = Session(
                *(self.url, self.params, secret, self.budget, self.fallbacks, cache, found, bar),
                *(self.clock, self.timeout, self.concurrency),
            )
            _run(session, missing, is_batch=is_batch)
        found.calls = self.budget.calls - calls
        if self.budget.spent_usd is not None:
            found.spent_usd = self.budget.spent_usd - spent
        if found.left_out:
            counts = ", ".join(f"{name}: {count:,}" for name, count in found.left_out.items())
            say(f"calls without what the server refuses ({counts})")


def _run(session: Session, requests: Sequence[Request], *, is_batch: bool) -> None:
    # Imported here: the openai package takes longer to load than all kept replies.
    from mmoe.descriptions.llm_client.batch import send_batches
    from mmoe.descriptions.llm_client.direct import send_directly

    try:
        asyncio.run((send_batches if is_batch else send_directly)(session, requests))
    except ExceptionGroup as group:
        raise group.exceptions[0] from None


def _take_kept(requests: Iterable[Request], cache: ReplyCache, found: Round) -> list[Request]:
    """Takes the replies that are kept; returns the requests without one."""
    wanted = list(requests)
    kept = cache.get([request.key for request in wanted])
    found.replies |= kept
    found.cache_hits += len(kept)
    return [request for request in wanted if request.key not in kept]
