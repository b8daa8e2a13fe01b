"""What the servers of our tests have in common."""

from __future__ import annotations

import gzip
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

NO_USER_AGENT = b"Please set a user-agent and respect our robot policy https://w.wiki/4wJS.\n"
HTML = b"<!DOCTYPE html><html><title>Wikimedia Error</title><p>Our servers are busy.</html>"
JSON = "application/json; charset=utf-8"
LIBRARIES = ("python-requests/", "python-urllib", "Python-urllib", "curl/", "Wget/")


class LoopbackHandler(BaseHTTPRequestHandler):
    """Answers one request."""

    def has_refused_agent(self) -> bool:
        """Whether the User-Agent is none or a library's own, which Wikimedia refuses."""
        agent = self.headers.get("User-Agent", "")
        return not agent or agent.startswith(LIBRARIES)

    def good_answer(self) -> tuple[bytes, str]:
        """What the request should be answered with, and its type."""
        raise NotImplementedError

    def answered(self, status: int) -> None:
        """Called before the client can know: it may ask again at once."""

    def json(self, content: Any, headers: dict[str, str] | None = None) -> None:
        self.reply(200, json.dumps(content, ensure_ascii=False).encode(), JSON, headers)

    def reply(
        self,
        status: int,
        body: bytes,
        kind: str,
        headers: dict[str, str] | None = None,
        up_to: int | None = None,
    ) -> None:
        """Sends an answer, or its beginning."""
        self.answered(status)
        headers = {"Content-Type": kind} | (headers or {})
        if "gzip" in self.headers.get("Accept-Encoding", ""):
            body, headers = gzip.compress(body), {"Content-Encoding": "gzip"} | headers
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body[:up_to])
        self.wfile.flush()

    def refuse_agent(self) -> None:
        self.reply(403, NO_USER_AGENT, "text/plain; charset=utf-8")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the parent's name
        """Says nothing on stderr."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is what some tests are about."""


@contextmanager
def running(handler: type[LoopbackHandler], closing: threading.Event) -> Iterator[str]:
    """Runs a server for as long as the context lasts; gives its address and sets `closing` at its end."""
    with _Server(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            closing.set()
            server.shutdown()
            thread.join()


# Ways in which a server, its edge or the network misbehave on one request.

AnyTrick = Callable[[LoopbackHandler], None]


def page(status: int, **headers: str) -> AnyTrick:
    """A page from the edge in place of an answer; underscores in header names stand for hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda handler: handler.reply(status, HTML, "text/html", named)


def body(content: bytes, kind: str = JSON, status: int = 200) -> AnyTrick:
    """Whatever a test thinks of."""
    return lambda handler: handler.reply(status, content, kind)


def half(handler: LoopbackHandler) -> None:
    """Half an answer that claims to be whole."""
    good, kind = handler.good_answer()
    handler.reply(200, good[: len(good) // 2], kind)


def cut(handler: LoopbackHandler) -> None:
    """Promises the whole answer and hangs up early."""
    handler.reply(200, *handler.good_answer(), up_to=15)
    handler.close_connection = True


def hang_up(handler: LoopbackHandler) -> None:
    """Closes the connection without a word."""
    handler.answered(0)
    handler.connection.shutdown(socket.SHUT_RDWR)
