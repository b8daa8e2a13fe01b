"""One polite way to GET: paced, few at a time, retried where that helps, and only as long as is fair.

Used for the API and for any other server of Wikimedia's: what an answer means is the caller's business
(`read`), when to ask again is decided here.
"""

from __future__ import annotations

import queue
import random
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self, TypeVar

import requests
from requests.exceptions import ChunkedEncodingError, ContentDecodingError, SSLError

from mmoe.errors import WikidataError, one_line
from mmoe.wikidata.api.answers import Cause, TransientError
from mmoe.wikidata.api.pace import Pacer
from mmoe.wikidata.api.settings import user_agent

T = TypeVar("T")

LAG_WAIT = 5.0  # seconds to wait for lagging servers that don't say how long


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
        for _number in range(self._policy.max_concurrent):
            self._idle.get().close()  # requests under way are finished first by their threads

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
        faults = 0
        while True:
            try:
                return read(self._send(url, params, kind))
            except TransientError as error:
                faults += error.cause is not Cause.LAG
                wait = _wait(error, faults)
                reason = self._reason_to_give_up(error, wait, faults)
                if reason is not None:
                    kept = "what was answered is kept, so that a later run goes on from here"
                    raise WikidataError(self._plain(f"{url}: {reason}; {kept}")) from None
                self._prepare_retry(error, wait)
            except WikidataError as error:
                raise WikidataError(self._plain(str(error))) from None
            self._pacer.sleep(wait)

    def _send(self, url: str, params: Mapping[str, str], kind: str) -> requests.Response:
        limits = (self._policy.connect, self._policy.silence)
        session = self._idle.get()
        try:
            self._pacer.turn()
            with self._lock:
                self.requests[kind] += 1
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
        finally:
            self._idle.put(session)

    def _reason_to_give_up(self, error: TransientError, wait: float, faults: int) -> str | None:
        policy = self._policy
        if error.cause is Cause.LAG:
            if self.waited_for_lag + self._pacer.longer(wait) <= policy.max_lag_wait:
                return None
            return (
                f"its databases lag behind ({error.text}); waited {self.waited_for_lag:.0f} s in all, "
                f"the limit (max_lag_wait) is {policy.max_lag_wait:.0f}"
            )
        if error.wait is not None and error.wait > policy.longest_wait:
            return f"asks us to stay away for {error.wait:.0f} s ({error.text})"
        if faults >= policy.attempts:
            return f"gave up after {policy.attempts} attempts, the last: {error.text}"
        return None

    def _prepare_retry(self, error: TransientError, wait: float) -> None:
        if error.cause is Cause.LIMIT:
            self._pacer.slow_down(wait)
        longer = 0.0 if error.cause is Cause.FAULT else self._pacer.pause(wait)
        with self._lock:
            self.retries[error.reason] += 1
            is_new = self.retries[error.reason] == 1
            self.waited_for_lag += longer if error.cause is Cause.LAG else 0
        if is_new:
            self._note(self._plain(f"{error.text}; again in {wait:.0f} s"))

    def _plain(self, text: str) -> str:
        """Without the contact: a server's error page may quote our User-Agent."""
        return text.replace(self._contact, "MMOE_CONTACT")


def _without_login(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Keeps requests from sending the login that the user's .netrc may hold for the server."""
    return request


def _wait(error: TransientError, faults: int) -> float:
    """As long as the server asks for, or else longer after each fault; at random, so that those who were
    sent away together don't come back together.
    """
    jitter = random.random()  # noqa: S311 - nothing to guess
    if error.wait is not None:
        return error.wait + jitter
    return LAG_WAIT + jitter if error.cause is Cause.LAG else min(2 ** (faults - 1) + jitter, 60)
