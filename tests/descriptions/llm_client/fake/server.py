"""The server: a limit per second, tricks on chosen calls; it keeps the score."""

from __future__ import annotations

import gzip
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.descriptions.llm_client.fake.batches import Batches, Json, completion


@dataclass
class Call:
    """One call and the status that it was answered with; 0 while it is under way.

    Header names are in lower case.
    """

    body: Json
    headers: dict[str, str]
    at: float
    status: int = 0

    @property
    def question(self) -> str:
        """What the last message asks."""
        return str(self.body["messages"][-1]["content"])


@dataclass
class Fake:
    """How the server behaves, and what it has seen.

    Attributes:
        tricks: by the number of a call, counted from 1 over all that come in.
        always: on every call without a trick of its own.
        by_question: on every call whose last message is the key.
        refused: parameters that the model does not take.
        per_second: calls that are let in, by a bucket of as many; None for no limit.
        delay: seconds of real time that every answer takes.
        now: the server's clock.
    """

    tricks: dict[int, Trick] = field(default_factory=dict)
    always: Trick | None = None
    by_question: dict[str, Trick] = field(default_factory=dict)
    refused: frozenset[str] = frozenset()
    per_second: float | None = None
    delay: float = 0.0
    now: Callable[[], float] = time.monotonic
    batches: Batches = field(default_factory=Batches)
    log: list[Call] = field(default_factory=list)
    most_at_once: int = 0
    url: str = ""
    closing: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _active: int = 0
    _bucket: float = -1.0
    _filled: float = 0.0

    def arrive(self, call: Call) -> int:
        """Counts a call in; returns its number."""
        with self._lock:
            self.log.append(call)
            self._active += 1
            self.most_at_once = max(self.most_at_once, self._active)
            return len(self.log)

    def leave(self) -> None:
        with self._lock:
            self._active -= 1

    def lets_in(self) -> bool:
        """Whether the limit lets one more in."""
        if self.per_second is None:
            return True
        with self._lock:
            most, now = self.per_second, self.now()
            if self._bucket < 0:
                self._bucket, self._filled = most, now
            self._bucket = min(most, self._bucket + (now - self._filled) * self.per_second)
            self._filled = now
            is_in = self._bucket >= 1
            self._bucket -= is_in
            return is_in

    def questions(self) -> Counter[str]:
        """How often each question was answered with status 200."""
        return Counter(call.question for call in list(self.log) if call.status == 200)

    def statuses(self) -> Counter[int]:
        return Counter(call.status for call in list(self.log))


class Handler(BaseHTTPRequestHandler):
    """Answers one call after the other on a connection."""

    fake: Fake
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.is_done = True
        self.fake.batches.get(self)

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path in ("/v1/files", "/v1/batches"):
            self.is_done = True
            self.fake.batches.post(self, content)
        else:
            self.chat(content)

    def chat(self, content: bytes) -> None:
        told = {name.lower(): value for name, value in self.headers.items()}
        self.call = Call(json.loads(content), told, self.fake.now())
        self.is_done = False
        number = self.fake.arrive(self.call)
        try:
            if self.fake.delay:
                self.fake.closing.wait(self.fake.delay)
            self.answer(number)
        finally:
            self.done()

    def answer(self, number: int) -> None:
        fake = self.fake
        trick = fake.tricks.get(number) or fake.by_question.get(self.call.question) or fake.always
        is_in = fake.lets_in()
        refused = [name for name in self.call.body if name in fake.refused]
        if self.path != "/v1/chat/completions":
            self.json(404, {"error": {"message": f"no {self.path}", "code": "404"}})
        elif trick is not None:
            trick(self)
        elif not is_in:
            self.error(429, "Rate limit reached", "rate_limit_exceeded", "requests", None, RETRY)
        elif refused:
            told = f"Unsupported parameter: '{refused[0]}' is not supported with this model."
            self.error(400, told, "unsupported_parameter", "invalid_request_error", refused[0])
        else:
            self.json(200, self.good())

    def good(self) -> Json:
        """A completion that repeats the question's last word."""
        return completion(self.call.question.split()[-1], self.call.body)

    def error(
        self,
        status: int,
        message: str,
        code: str | int | None = None,
        kind: str = "invalid_request_error",
        param: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        error = {"message": message, "type": kind, "param": param, "code": code}
        self.json(status, {"error": error}, headers)

    def json(self, status: int, content: Any, headers: Mapping[str, str] | None = None) -> None:
        told = {"Content-Type": "application/json"} | dict(headers or {})
        self.reply(status, json.dumps(content).encode(), told)

    def reply(
        self, status: int, body: bytes, headers: Mapping[str, str], up_to: int | None = None
    ) -> None:
        """Sends an answer, or its beginning."""
        all_headers = {"x-request-id": "req_1", **headers}
        if "gzip" in self.headers.get("Accept-Encoding", ""):
            body, all_headers = gzip.compress(body, 1), all_headers | {"Content-Encoding": "gzip"}
        if not self.is_done:
            self.call.status = status
        self.done()  # before the client can know: it may ask again at once
        self.send_response(status)
        for name, value in (all_headers | {"Content-Length": str(len(body))}).items():
            self.send_header(name, value)
        # In one piece with the headers: otherwise the system waits for the first to be received.
        self._headers_buffer.append(b"\r\n" + body[:up_to])  # type: ignore[attr-defined]
        self.flush_headers()

    def done(self) -> None:
        if not self.is_done:
            self.is_done = True
            self.fake.leave()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the parent's name
        """Says nothing on stderr."""


Trick = Callable[[Handler], None]
RETRY = {"retry-after": "0.2"}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is what some tests are about."""


@contextmanager
def serving(fake: Fake, port: int = 0) -> Iterator[Fake]:
    """Runs the server for as long as the context lasts."""
    handler = type("FakeHandler", (Handler,), {"fake": fake})
    with _Server(("127.0.0.1", port), handler) as server:
        fake.url = f"http://127.0.0.1:{server.server_port}/v1"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield fake
        finally:
            fake.closing.set()
            server.shutdown()
            thread.join()
