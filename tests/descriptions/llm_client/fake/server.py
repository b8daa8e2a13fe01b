"""The server: tricks on chosen calls; it keeps the score."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.descriptions.llm_client.fake.batches import Batches, Json, completion
from tests.loopback import LoopbackHandler, running


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
        refused: parameters that the model does not take.
        delay: seconds of real time that every answer takes.
        now: the server's clock.
    """

    tricks: dict[int, Trick] = field(default_factory=dict)
    always: Trick | None = None
    refused: frozenset[str] = frozenset()
    delay: float = 0.0
    now: Callable[[], float] = time.monotonic
    batches: Batches = field(default_factory=Batches)
    log: list[Call] = field(default_factory=list)
    url: str = ""
    closing: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def arrive(self, call: Call) -> int:
        """Counts a call in; returns its number."""
        with self._lock:
            self.log.append(call)
            return len(self.log)

    def statuses(self) -> Counter[int]:
        return Counter(call.status for call in list(self.log))


class Handler(LoopbackHandler):
    """Answers one call after the other on a connection."""

    fake: Fake
    call: Call | None = None
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.fake.batches.get(self)

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path in ("/v1/files", "/v1/batches"):
            self.fake.batches.post(self, content)
            return
        fake = self.fake
        told = {name.lower(): value for name, value in self.headers.items()}
        self.call = call = Call(json.loads(content), told, fake.now())
        number = fake.arrive(call)
        fake.closing.wait(fake.delay)
        trick = fake.tricks.get(number) or fake.always
        refused = [name for name in call.body if name in fake.refused]
        if self.path != "/v1/chat/completions":
            self.error(404, f"no {self.path}", "404")
        elif trick is not None:
            trick(self)
        elif refused:
            words = f"Unsupported parameter: '{refused[0]}' is not supported with this model."
            self.error(400, words, "unsupported_parameter", param=refused[0])
        else:
            self.json(200, self.good())

    def asked(self) -> Call:
        assert self.call is not None
        return self.call

    def good(self) -> Json:
        """A completion that repeats the question's last word."""
        return completion(self.asked().question.split()[-1], self.asked().body)

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
        if self.call is not None:
            self.call.status = status  # before the client can know
        self.send_response(status)
        for name, value in (all_headers | {"Content-Length": str(len(body))}).items():
            self.send_header(name, value)
        # In one piece with the headers: otherwise the system waits for the first to be received.
        self._headers_buffer.append(b"\r\n" + body[:up_to])  # type: ignore[attr-defined]
        self.flush_headers()


Trick = Callable[[Handler], None]


@contextmanager
def serving(fake: Fake) -> Iterator[Fake]:
    """Runs the server for as long as the context lasts."""
    with running(type("FakeHandler", (Handler,), {"fake": fake}), fake.closing) as address:
        fake.url = f"{address}/v1"
        yield fake
