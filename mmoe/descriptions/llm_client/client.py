"""From a list of requests to a reply for each, each sent at most once, within limits of calls and money."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterable, Sequence
from functools import partial

from tqdm import tqdm

from mmoe.descriptions.llm_client.cache import FILE, ReplyCache
from mmoe.descriptions.llm_client.key import ApiKey
from mmoe.descriptions.llm_client.session import Endpoint, Session
from mmoe.descriptions.llm_client.types import Request, Round
from mmoe.files import content_key
from mmoe.locks import exclusive_lock


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
                model = content_key(self.url, str(missing[0].body.get("model")))
                waiting = partial(say, "another run asks the same model; waiting for it")
                with exclusive_lock(self.cache_folder, f"{FILE}.{model}.lock", waiting):
                    # The run that had its turn before may have sent the same.
                    if missing := _take_kept(missing, cache, found):
                        self._send(missing, cache, found)
        found.seconds = time.monotonic() - begun
        return found

    def _send(self, missing: Sequence[Request], cache: ReplyCache, found: Round) -> None:
        """Sends, and writes down what it has cost and why it ended."""
        # Imported here: the openai package takes longer to load than all kept replies.
        from mmoe.descriptions.llm_client.batch import send_batches
        from mmoe.descriptions.llm_client.direct import send_directly

        secret, in_batches = ApiKey(), self.params.mode == "batch"
        send = send_batches if in_batches else send_directly
        how = ", in batches" if in_batches else ""
        say(f"questions that go to {self.host}{how}: {len(missing):,}")
        calls, spent = self.budget.calls, self.budget.spent_usd or 0.0
        # Only where somebody watches, so that logs stay short.
        with tqdm(total=len(missing), desc="rank", unit=" questions", disable=None) as bar:
            try:
                asyncio.run(send(Session(self, secret, cache, found, bar), missing))
            except ExceptionGroup as group:
                raise group.exceptions[0] from None
        found.calls = self.budget.calls - calls
        if self.budget.spent_usd is not None:
            found.spent_usd = self.budget.spent_usd - spent
        if found.left_out:
            counts = ", ".join(f"{name}: {count:,}" for name, count in found.left_out.items())
            say(f"calls without what the server refuses ({counts})")


def _take_kept(requests: Iterable[Request], cache: ReplyCache, found: Round) -> list[Request]:
    """Takes the replies that are kept; returns the requests without one."""
    wanted = list(requests)
    kept = cache.get([request.key for request in wanted])
    found.replies |= kept
    found.cache_hits += len(kept)
    return [request for request in wanted if request.key not in kept]
