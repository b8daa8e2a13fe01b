"""One pinned file over HTTP: resumed, retried, verified, and only then given its name."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from requests.exceptions import ChunkedEncodingError, SSLError
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt
from tqdm import tqdm
from urllib3.exceptions import HTTPError

from mmoe.datasets.download.answers import (
    PARTIAL_CONTENT,
    TransientError,
    check_status,
    continues,
    says_where_it_ends,
)
from mmoe.datasets.download.disk import disk_trouble
from mmoe.datasets.download.partial import Partial
from mmoe.datasets.download.sources import GITHUB_LFS, Source
from mmoe.errors import DataError, one_line
from mmoe.files import sha256_of

CHUNK = 64 * 1024
LFS_POINTER = b"version https://git-lfs"


@dataclass(frozen=True)
class Patience:
    """How often and how long a server is given time; all times in seconds.

    Attributes:
        attempts: how often a file is asked for.
        longest_wait: between two attempts, also where the server asks for more.
        connect: to open a connection.
        silence: without a single byte.
        slowest: bytes that must arrive within `silence`, against a server that trickles.
        sleep: waits; tests put another in its place.
    """

    attempts: int = 6
    longest_wait: float = 120
    connect: float = 10
    silence: float = 30
    slowest: int = 4096
    sleep: Callable[[float], None] = time.sleep


PATIENCE = Patience()


def fetch(source: Source, target: Path, base: str, patience: Patience = PATIENCE) -> None:
    """Fetches one file, or leaves it alone if it is there and right.

    Args:
        target: where it goes; until it is whole and verified it is called `<name>.part`.
        base: the server's address, in the place of raw.githubusercontent.com.
    Raises:
        DataError: if the server doesn't give it, gives another file, or the disk doesn't take it.
    """
    with disk_trouble(target):
        if fault(target, source) is None:
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = Partial(target)
        with (
            requests.Session() as session,
            tqdm(total=source.size, desc=source.name, unit="B", unit_scale=True) as bar,
        ):
            _Fetch(source, source.url(base), partial, session, bar, patience).run()


def fault(file: Path, source: Source) -> str | None:
    """What makes `file` another one than `source`; null if it is the same."""
    if not file.is_file():
        return "no such file"
    size = file.stat().st_size
    if size != source.size:
        return f"{size:,} bytes instead of {source.size:,}"
    found = sha256_of(file)
    return None if found == source.sha256 else f"SHA-256 {found} instead of {source.sha256}"


@dataclass
class _Fetch:
    source: Source
    url: str
    partial: Partial
    session: requests.Session
    bar: tqdm[Any]
    patience: Patience

    def run(self) -> None:
        retrying = Retrying(
            retry=retry_if_exception_type(TransientError),
            stop=stop_after_attempt(self.patience.attempts),
            wait=self._wait,
            before_sleep=self._announce,
            sleep=self.patience.sleep,
            reraise=True,
        )
        try:
            retrying(self._attempt)
        except TransientError as error:
            raise DataError(
                f"{self.url}: gave up after {self.patience.attempts} attempts, the last: {error}; "
                f"{self.partial.size:,} of {self.source.size:,} bytes are kept: run the command "
                "again to go on, or name another server with --mirror"
            ) from None

    def _attempt(self) -> None:
        offset = self.partial.size
        if offset < self.source.size:
            with self._ask(offset) as answer:
                offset = self._start(answer, offset)
                self._receive(answer)
        self._verify(was_resumed=offset > 0)

    def _ask(self, offset: int) -> requests.Response:
        headers = {"Accept-Encoding": "identity"}
        if offset:
            headers["Range"] = f"bytes={offset}-"
            if self.partial.etag is not None:
                headers["If-Range"] = self.partial.etag
        limits = (self.patience.connect, self.patience.silence)
        try:
            return self.session.get(self.url, headers=headers, stream=True, timeout=limits)
        except SSLError as error:
            raise DataError(
                f"{self.url}: no secure connection ({one_line(error)}); if your network puts its "
                "own certificate in between, name it in REQUESTS_CA_BUNDLE"
            ) from None
        except (requests.ConnectionError, requests.Timeout, ChunkedEncodingError) as error:
            raise TransientError(f"no connection ({_root(error)})") from None
        except requests.RequestException as error:
            raise DataError(
                f"{self.url}: can't be asked for ({one_line(error)}); look at --mirror and the proxy"
            ) from None

    def _start(self, answer: requests.Response, offset: int) -> int:
        """Decides where the answer's bytes go; returns from which byte on they are written."""
        if answer.status_code == 416:
            self.partial.drop()
            raise TransientError("the server has fewer bytes than had arrived; starting over")
        check_status(answer)
        if answer.status_code == PARTIAL_CONTENT:
            if not continues(answer, offset, self.source.size, self.partial.etag):
                self.partial.drop()
                raise TransientError(
                    "the server sent another part than was asked for; starting over"
                )
        else:
            self.partial.begin(answer.headers.get("ETag"))
            offset = 0
        self.bar.n = offset
        self.bar.refresh()
        return offset

    def _receive(self, answer: requests.Response) -> None:
        pace = _Pace(self.patience)
        try:
            with self.partial.path.open("ab") as out:
                # One byte too many proves another file; there may be gigabytes of it.
                while out.tell() <= self.source.size and (data := answer.raw.read1(CHUNK, True)):
                    out.write(data)
                    self.bar.update(len(data))
                    pace.count(len(data))
        except HTTPError as error:
            raise TransientError(f"the connection was cut ({one_line(error)})") from None
        if self.partial.size < self.source.size and not says_where_it_ends(answer):
            raise TransientError("the connection ended before the file did")

    def _verify(self, *, was_resumed: bool) -> None:
        reason = fault(self.partial.path, self.source)
        if reason is None:
            self.partial.finish()
            return
        with self.partial.path.open("rb") as stream:
            is_pointer = stream.read(len(LFS_POINTER)) == LFS_POINTER
        self.partial.drop()
        if was_resumed:
            raise TransientError(f"the joined parts are not the file ({reason}); starting over")
        remedy = (
            f"the server sent a Git LFS pointer in its place: use --mirror {GITHUB_LFS}"
            if is_pointer
            else "a proxy or login page may have answered: try another network or --mirror"
        )
        raise DataError(f"{self.url}: not the published file, {reason}; deleted; {remedy}")

    def _wait(self, state: RetryCallState) -> float:
        asked = _error(state).wait
        wanted = 2.0 ** (state.attempt_number - 1) if asked is None else asked
        return min(wanted, self.patience.longest_wait)

    def _announce(self, state: RetryCallState) -> None:
        assert state.next_action is not None
        self.bar.write(
            f"{self.source.name}: {_error(state)}; again in {state.next_action.sleep:.0f} s "
            f"(attempt {state.attempt_number + 1} of {self.patience.attempts})",
            file=sys.stderr,
        )


class _Pace:
    """Tells a slow server from one that only keeps the connection open."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._since = time.monotonic()
        self._bytes = 0

    def count(self, num_bytes: int) -> None:
        self._bytes += num_bytes
        now = time.monotonic()
        if now - self._since < self._patience.silence:
            return
        if self._bytes < self._patience.slowest:
            raise TransientError(f"only {self._bytes} bytes in {now - self._since:.0f} s")
        self._since, self._bytes = now, 0


def _root(error: requests.RequestException) -> str:
    """What lies at the bottom of requests' nested errors, on one line."""
    inner = error.args[0] if error.args else error
    return one_line(getattr(inner, "reason", None) or inner)


def _error(state: RetryCallState) -> TransientError:
    error = state.outcome.exception() if state.outcome else None
    assert isinstance(error, TransientError)
    return error
