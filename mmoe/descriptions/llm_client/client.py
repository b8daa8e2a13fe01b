"""From a list of requests to a reply for each, each sent at most once."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from filelock import FileLock, Timeout
from tqdm import tqdm

from mmoe.descriptions.llm_client.cache import FILE, ReplyCache
from mmoe.descriptions.llm_client.endpoint import Endpoint
from mmoe.descriptions.llm_client.key import ApiKey
from mmoe.descriptions.llm_client.session import Session
from mmoe.descriptions.llm_client.types import Request, Round
from mmoe.files import content_key


def say(line: str) -> None:
    print(f"rank: {line}", file=sys.stderr, flush=True)


class LlmClient(Endpoint):
    """Sends requests to an endpoint, each once."""

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
        how = ", in batches" if self.params.mode == "batch" else ""
        say(f"questions that go to {self.host}{how}: {len(missing):,}")
        calls, spent = self.budget.calls, self.budget.spent_usd or 0.0
        # Only where somebody watches, so that logs stay short.
        with tqdm(total=len(missing), desc="rank", unit=" questions", disable=None) as bar:
            _run(Session(self, secret, cache, found, bar), missing)
        found.calls = self.budget.calls - calls
        if self.budget.spent_usd is not None:
            found.spent_usd = self.budget.spent_usd - spent
        if found.left_out:
            counts = ", ".join(f"{name}: {count:,}" for name, count in found.left_out.items())
            say(f"calls without what the server refuses ({counts})")


def _run(session: Session, requests: Sequence[Request]) -> None:
    # Imported here: the openai package takes longer to load than all kept replies.
    from mmoe.descriptions.llm_client.batch import send_batches
    from mmoe.descriptions.llm_client.direct import send_directly

    send = send_batches if session.client.params.mode == "batch" else send_directly
    try:
        asyncio.run(send(session, requests))
    except ExceptionGroup as group:
        raise group.exceptions[0] from None


def _take_kept(requests: Iterable[Request], cache: ReplyCache, found: Round) -> list[Request]:
    """Takes the replies that are kept; returns the requests without one."""
    wanted = list(requests)
    kept = cache.get([request.key for request in wanted])
    found.replies |= kept
    found.cache_hits += len(kept)
    return [request for request in wanted if request.key not in kept]
