"""Questions to the API: answered from the cache where that can be, and by the server only once.

Threads with the same question take turns: one asks, the others find its answer kept. Processes that share a
cache take turns at the server: one asks, the others wait for it and then find its answers kept. So the
limits hold for all of them together.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self
from weakref import WeakValueDictionary

from filelock import FileLock, Timeout
from requests import Response

from mmoe.files import content_key
from mmoe.wikidata.api.answers import TransientError, read_api_answer
from mmoe.wikidata.api.cache import AnswerCache
from mmoe.wikidata.api.pace import Clock, Pacer, RequestBar
from mmoe.wikidata.api.session import PoliteSession, RetryPolicy
from mmoe.wikidata.api.settings import CONTACT, ApiSettings

Json = dict[str, Any]
Check = Callable[[Json, Sequence[str]], None]

# Requests are refused while the servers lag behind for more seconds, as Wikimedia recommends.
_FORMAT = {"format": "json", "formatversion": "2", "maxlag": "5"}
_WITHOUT_IDS = ("",)


@dataclass(frozen=True)
class Question:
    """What is asked of the API.

    Attributes:
        kind: of the answer, under which it is counted and kept.
        params: all that the answer depends on.
        ids: sent as `ids`; each has an answer of its own in `entities`, kept by itself. The one answer to a
            question without ids stands under "".
    """

    kind: str
    params: Mapping[str, str]
    ids: tuple[str, ...] = _WITHOUT_IDS

    def without(self, answers: Mapping[str, Json]) -> Question:
        """What is still open of it."""
        return replace(self, ids=tuple(name for name in self.ids if name not in answers))


class NotKeptError(Exception):
    """Offline, and the cache does not hold all answers.

    Args:
        ids: of the question that have none.
    """

    def __init__(self, ids: Sequence[str]) -> None:
        super().__init__(f"{len(ids)} answers are not kept")
        self.ids = tuple(ids)


class Api:
    """The questions of one run, from any number of threads.

    Args:
        sends: what leaves the machine, as it is announced before the first request: "7 surface forms".
    Attributes:
        bar: its progress; who asks says first how many requests it expects.
        cache_hits: answers that were found kept.
        requests: that were sent, by kind of answer; every attempt counts.
        retries: attempts that failed and were made again, by reason.
    """

    def __init__(self, settings: ApiSettings, sends: str, clock: Clock) -> None:
        self.settings = settings
        self.pacer = Pacer(settings.limits.requests_per_minute, clock)
        self.cache_hits = 0
        self.requests: Counter[str] = Counter()
        self.retries: Counter[str] = Counter()
        self._sends = sends
        self._lock = threading.Lock()
        self._turns: WeakValueDictionary[str, threading.Lock] = WeakValueDictionary()
        self._session: PoliteSession | None = None
        self._open = ExitStack()
        self.bar = RequestBar(self.pacer)
        self._open.callback(self.bar.close)
        self._cache = self._open.enter_context(
            AnswerCache(settings.cache_folder, settings.limits.cache_days, clock.wall)
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def kept(self, question: Question) -> dict[str, Json]:
        """The kept answers, by id."""
        keys = {self._key(question, name): name for name in question.ids}
        found = self._cache.get(question.kind, list(keys))
        with self._lock:
            self.cache_hits += len(found)
        return {keys[key]: answer for key, answer in found.items()}

    def ask(self, question: Question, check: Check) -> dict[str, Json]:
        """The answers, kept ones or the server's, by id.

        Args:
            check: given the server's answer and the ids that it was asked for; raises TransientError if it
                is not of the documented form.
        Raises:
            NotKeptError: if an answer is needed that is not kept, and the run is offline.
            WikidataError: if the server can't be asked or refuses.
        """
        with self._turn(question):
            answers = self.kept(question)
            left = question.without(answers)
            if left.ids:
                if self.settings.offline:
                    raise NotKeptError(left.ids)
                session = self._begin()
                answers |= self.kept(left)  # by the process that had the turn before us
                left = left.without(answers)
            if left.ids:
                answers |= self._fetch(session, left, check)
        self.bar.count()
        return answers

    def _fetch(self, session: PoliteSession, question: Question, check: Check) -> dict[str, Json]:
        params, ids = {**question.params, **_FORMAT}, question.ids
        if ids != _WITHOUT_IDS:
            params["ids"] = "|".join(ids)

        def read(response: Response) -> dict[str, Json]:
            answer = read_api_answer(response)
            check(answer, ids)
            return {"": answer} if ids == _WITHOUT_IDS else {i: answer["entities"][i] for i in ids}

        fetched = session.get(self.settings.url, params, question.kind, read)
        keyed = {self._key(question, name): answer for name, answer in fetched.items()}
        self._cache.put(question.kind, keyed)
        return fetched

    def _key(self, question: Question, name: str) -> str:
        return content_key(self.settings.url, sorted(question.params.items()), name)

    def _turn(self, question: Question) -> threading.Lock:
        """What the thread that answers the question holds; one and the same for equal questions."""
        key = self._key(question, "|".join(question.ids))
        with self._lock:
            return self._turns.setdefault(key, threading.Lock())

    def _begin(self) -> PoliteSession:
        """Before the first request: checks the contact, waits for our turn, says what leaves the machine."""
        with self._lock:
            if self._session is None:
                settings = self.settings
                policy = RetryPolicy(
                    max_concurrent=settings.max_concurrent,
                    max_lag_wait=settings.limits.max_lag_wait,
                )
                session = PoliteSession(settings.contact, policy, self.pacer, self.bar.note)
                self._open.enter_context(session)
                self._wait_for_turn()
                self.bar.note(
                    f"asks {settings.host}: {self._sends} leave this machine, and {CONTACT} in the "
                    f"User-Agent, no other text; at most {settings.limits.requests_per_minute} requests a "
                    f"minute; answers are kept in {settings.cache_folder}"
                )
                self.requests, self.retries = session.requests, session.retries
                self._session = session
            return self._session

    def _wait_for_turn(self) -> None:
        lock = FileLock(turn_file(self.settings), thread_local=False)
        patience = 0.0
        while not lock.is_locked:
            try:
                lock.acquire(timeout=patience, poll_interval=0.1)
            except Timeout:
                if not patience:
                    host = self.settings.host
                    self.bar.note(f"another process asks {host}; waiting until it has ended")
                patience = 0.5  # seconds, between looks at whether our run was stopped
                self.pacer.check()
        self._open.callback(lock.release)


def turn_file(settings: ApiSettings) -> Path:
    """The file that the process which asks a server holds."""
    return settings.cache_folder / f"asking-{content_key(settings.host)}.lock"


def wrong_form(what: str) -> TransientError:
    """An answer is JSON, but not as documented: cut or mixed up on its way, which may mend."""
    return TransientError("broken_answer", f"an answer without {what}")
