"""One polite way to GET: paced, few at a time, retried where that helps, and only as long as is fair.

Used for the API and for any other server of Wikimedia's: what an answer means is the caller's business
(`read`), when to ask again is decided here.
"""

from __future__ import annotations

import queue
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self, TypeVar

import requests
from requests.exceptions import ChunkedEncodingError, ContentDecodingError, SSLError
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    wait_exponential_jitter,
    wait_random,
)

from mmoe.errors import WikidataError, one_line
from mmoe.wikidata.api.answers import Cause, TransientError
from mmoe.wikidata.api.pace import Pacer
from mmoe.wikidata.api.settings import user_agent

T = TypeVar("T")

LAG_WAIT = 5.0  # seconds to wait for lagging servers that don't say how long

_BACKOFF = wait_exponential_jitter(initial=1, max=60, jitter=1)
_JITTER = wait_random(0, 1)  # so that those who were sent away together don't come back together


@dataclass(frozen=True)
class RetryPolicy:
    """How many requests at once, how often again, and how long a server is waited for; in seconds.

    Attributes:
        max_concurrent: requests under way at the same time.
        attempts: at one request; those that met lagging servers don't count.
        longest_wait: for which a server may send us away; if it asks for more, the run ends.
        max_lag_wait: in all, for servers that lag behind.
        connect: to open a connection.
        silence: without a single byte.
    """

    max_concurrent: int = 3
    attempts: int = 8
    longest_wait: float = 300
    max_lag_wait: float = 600
    connect: float = 10
    silence: float = 60


class PoliteSession:
    """GET requests to one server, from any number of threads.

    Attributes:
        requests: that were sent, by the kind that the caller gives; every attempt counts.
        retries: attempts that failed and were made again, by reason.
        waited_for_lag: seconds.
    """

    def __init__(
        self,
        contact: str,
        policy: RetryPolicy,
        pacer: Pacer,
        note: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Opens no connection yet.

        Args:
            pacer: says when a request may leave; its clock is the one that waits.
            note: takes a line for the user when a reason to wait first occurs.
        Raises:
            WikidataError: if the contact is missing.
        """
        self._contact, self._policy, self._pacer, self._note = contact, policy, pacer, note
        self.requests: Counter[str] = Counter()
        self.retries: Counter[str] = Counter()
        self.waited_for_lag = 0.0
        self._lock = threading.Lock()
        # requests' sessions are not made for several threads at once: who has one may ask.
        self._idle: queue.LifoQueue[requests.Session] = queue.LifoQueue()
        for _ in range(policy.max_concurrent):
            session = requests.Session()
            session.headers["User-Agent"] = user_agent(contact)
            session.headers["Accept-Encoding"] = "gzip"
            session.auth = _without_login
            self._idle.put(session)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections; requests under way are finished first by their threads."""
        for _ in range(self._policy.max_concurrent):
            self._idle.get().close()

    def get(
        self,
        url: str,
        params: Mapping[str, str],
        kind: str,
        read: Callable[[requests.Response], T],
    ) -> T:
        """Asks until `read` makes sense of an answer.

        Args:
            kind: under which the request is counted.
            read: given the whole answer, whatever its status; raises TransientError for what another
                attempt may mend, WikidataError for what it can't.
        Raises:
            WikidataError: if the server refuses, or after too many attempts or too long a wait.
            StoppedError: if the pacer was stopped meanwhile.
        """
        call = _Call()
        retrying = Retrying(
            retry=retry_if_exception_type(TransientError),
            wait=self._wait,
            stop=lambda state: self._stop(state, call),
            before_sleep=self._before_sleep,
            sleep=self._pacer.sleep,
            reraise=True,
        )
        try:
            result: T = retrying(self._attempt, url, params, kind, read)
        except TransientError as error:
            raise WikidataError(self._plain(f"{url}: {self._gave_up(error)}")) from None
        except WikidataError as error:
            raise WikidataError(self._plain(str(error))) from None
        return result

    def _attempt(
        self,
        url: str,
        params: Mapping[str, str],
        kind: str,
        read: Callable[[requests.Response], T],
    ) -> T:
        session = self._idle.get()
        try:
            self._pacer.turn()
            with self._lock:
                self.requests[kind] += 1
            return read(self._send(session, url, params))
        finally:
            self._idle.put(session)

    def _send(
        self, session: requests.Session, url: str, params: Mapping[str, str]
    ) -> requests.Response:
        limits = (self._policy.connect, self._policy.silence)
        try:
            return session.get(url, params=params, timeout=limits)
        except SSLError as error:
            raise WikidataError(
                f"{url}: no secure connection ({one_line(error)}); if your network puts its own "
                "certificate in between, name it in REQUESTS_CA_BUNDLE"
            ) from None
        except (ChunkedEncodingError, ContentDecodingError):
            raise TransientError("cut_answer", "the connection was cut") from None
        except (requests.ConnectionError, requests.Timeout) as error:
            reason = type(error).__name__  # their texts repeat the surface forms
            raise TransientError("no_connection", f"no connection ({reason})") from None
        except requests.RequestException as error:
            reason = type(error).__name__
            raise WikidataError(
                f"{url}: can't be asked for ({reason}); look at the address and the proxy"
            ) from None

    def _wait(self, state: RetryCallState) -> float:
        error = _error(state)
        if error.wait is not None:
            return error.wait + _JITTER(state)
        return LAG_WAIT + _JITTER(state) if error.cause is Cause.LAG else _BACKOFF(state)

    def _stop(self, state: RetryCallState, call: _Call) -> bool:
        error = _error(state)
        if error.cause is Cause.LAG:
            longer = self._pacer.longer(state.upcoming_sleep)
            return self.waited_for_lag + longer > self._policy.max_lag_wait
        call.faults += 1
        too_long = error.wait is not None and error.wait > self._policy.longest_wait
        return too_long or call.faults >= self._policy.attempts

    def _before_sleep(self, state: RetryCallState) -> None:
        error, wait = _error(state), state.upcoming_sleep
        with self._lock:
            self.retries[error.reason] += 1
            is_new = self.retries[error.reason] == 1
        if error.cause is Cause.LIMIT:
            self._pacer.slow_down(wait)
        if error.cause is not Cause.FAULT:
            longer = self._pacer.pause(wait)
            if error.cause is Cause.LAG:
                with self._lock:
                    self.waited_for_lag += longer
        if is_new:
            self._note(self._plain(f"{error.text}; again in {wait:.0f} s"))

    def _gave_up(self, error: TransientError) -> str:
        kept = "what was answered is kept, so that a later run goes on from here"
        if error.cause is Cause.LAG:
            return (
                f"its databases lag behind ({error.text}); waited {self.waited_for_lag:.0f} s in all, "
                f"the limit (max_lag_wait) is {self._policy.max_lag_wait:.0f}; {kept}"
            )
        if error.wait is not None and error.wait > self._policy.longest_wait:
            return f"asks us to stay away for {error.wait:.0f} s ({error.text}); {kept}"
        return f"gave up after {self._policy.attempts} attempts, the last: {error.text}; {kept}"

    def _plain(self, text: str) -> str:
        """Without the contact: a server's error page may quote our User-Agent."""
        return text.replace(self._contact, "MMOE_CONTACT")


@dataclass
class _Call:
    """Attempts at one request that failed, lagging servers left out."""

    faults: int = 0


def _without_login(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Keeps requests from sending the login that the user's .netrc may hold for the server."""
    return request


def _error(state: RetryCallState) -> TransientError:
    error = state.outcome.exception() if state.outcome else None
    assert isinstance(error, TransientError)
    return error
