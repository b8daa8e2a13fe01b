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
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from weakref import WeakValueDictionary

from filelock import FileLock, Timeout

from mmoe.files import content_key
from mmoe.wikidata.api.answers import TransientError, read_api_answer
from mmoe.wikidata.api.cache import AnswerCache
from mmoe.wikidata.api.pace import Clock, Pacer, RequestBar
from mmoe.wikidata.api.session import PoliteSession, RetryPolicy
from mmoe.wikidata.api.settings import CONTACT, ApiSettings

Json = dict[str, Any]

# Gives the answers by id, or under "" for a question without ids, out of what the server sent; raises
# TransientError for what is not of the documented form.
Split = Callable[[Json, tuple[str, ...]], dict[str, Json]]

# Requests are refused while the servers lag behind for more seconds, as Wikimedia recommends.
_FORMAT = {"format": "json", "formatversion": "2", "maxlag": "5"}


@dataclass(frozen=True)
class Question:
    """What is asked of the API.

    Attributes:
        kind: of the answer, under which it is counted and kept.
        params: all that the answer depends on.
        ids: sent as `ids`; each is answered, and its answer kept, by itself.
    """

    kind: str
    params: Mapping[str, str]
    ids: tuple[str, ...] = ()


class NotKeptError(Exception):
    """Offline, and the cache does not hold all answers.

    Args:
        ids: of the question that have none; nothing for a question without ids.
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
    """

    def __init__(self, settings: ApiSettings, sends: str, clock: Clock) -> None:
        self.settings = settings
        self.pacer = Pacer(settings.limits.requests_per_minute, clock)
        self.cache_hits = 0
        self._sends = sends
        self._lock = threading.Lock()
        self._turns: WeakValueDictionary[str, threading.Lock] = WeakValueDictionary()
        self._session: PoliteSession | None = None
        self._open = ExitStack()
        self.bar = self._open.enter_context(RequestBar(self.pacer))
        self._cache = self._open.enter_context(
            AnswerCache(settings.cache_folder, settings.limits.cache_days, clock.wall)
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    @property
    def requests(self) -> Counter[str]:
        """Requests that were sent, by kind of answer; every attempt counts."""
        return Counter() if self._session is None else self._session.requests

    @property
    def retries(self) -> Counter[str]:
        """Attempts that failed and were made again, by reason."""
        return Counter() if self._session is None else self._session.retries

    def kept(self, question: Question) -> dict[str, Json]:
        """The kept answers, by id; by "" for a question without ids."""
        keys = {self._key(question, name): name for name in question.ids or ("",)}
        found = self._cache.get(question.kind, list(keys))
        with self._lock:
            self.cache_hits += len(found)
        return {keys[key]: answer for key, answer in found.items()}

    def ask(self, question: Question, split: Split) -> dict[str, Json]:
        """The answers, kept ones or the server's, by id; by "" for a question without ids.

        Args:
            split: is given the server's answer and the ids that it was asked for.
        Raises:
            NotKeptError: if an answer is needed that is not kept, and the run is offline.
            WikidataError: if the server can't be asked or refuses.
        """
        with self._turn(question):
            answers = self.kept(question)
            left = self._left(question, answers)
            if left is not None:
                if self.settings.offline:
                    raise NotKeptError(left.ids)
                session = self._begin()
                answers |= self.kept(left)  # by the process that had the turn before us
                left = self._left(question, answers)
            if left is not None:
                answers |= self._fetch(session, left, split)
        self.bar.count()
        return answers

    def _fetch(self, session: PoliteSession, question: Question, split: Split) -> dict[str, Json]:
        params = {**question.params, **_FORMAT}
        if question.ids:
            params["ids"] = "|".join(question.ids)
        fetched = session.get(
            self.settings.url,
            params,
            question.kind,
            lambda answer: split(read_api_answer(answer), question.ids),
        )
        assert fetched.keys() == set(question.ids or ("",))
        self._cache.put(
            question.kind, {self._key(question, name): value for name, value in fetched.items()}
        )
        return fetched

    def _left(self, question: Question, answers: Mapping[str, Json]) -> Question | None:
        """The part of a question that is still open; None if there is none."""
        ids = tuple(name for name in question.ids if name not in answers)
        is_open = bool(ids) if question.ids else "" not in answers
        return Question(question.kind, question.params, ids) if is_open else None

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
                self.bar.note(self._announcement())
                self._session = session
            return self._session

    def _wait_for_turn(self) -> None:
        lock = FileLock(_lock_file(self.settings), thread_local=False)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            self.bar.note(f"another process asks {self.settings.host}; waiting until it has ended")
            self._wait_until_free(lock)
        self._open.callback(lock.release)

    def _wait_until_free(self, lock: FileLock) -> None:
        while not lock.is_locked:
            try:
                lock.acquire(timeout=0.5, poll_interval=0.1)
            except Timeout:
                self.pacer.check()

    def _announcement(self) -> str:
        settings = self.settings
        return (
            f"asks {settings.host}: {self._sends} leave this machine, and {CONTACT} in the User-Agent, no "
            f"other text; at most {settings.limits.requests_per_minute} requests a minute; answers are kept "
            f"in {settings.cache_folder}"
        )


def _lock_file(settings: ApiSettings) -> Path:
    return settings.cache_folder / f"asking-{content_key(settings.host)}.lock"


def wrong_form(what: str) -> TransientError:
    """An answer is JSON, but not as documented: cut or mixed up on its way, which may mend."""
    return TransientError("broken_answer", f"an answer without {what}")
