"""A web server on the loopback that behaves, or misbehaves in the way a test tells it."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

from mmoe.datasets.download.sources import Source

REPOSITORY, COMMIT = "someone/benchmark", "0" * 40


@dataclass
class Asked:
    """One request, and how many bytes of body it was answered with."""

    path: str
    headers: dict[str, str]
    sent: int = 0


@dataclass
class Site:
    """What the server has, and the tricks it plays on the next requests for a path, one each."""

    files: dict[str, bytes] = field(default_factory=dict)
    tricks: dict[str, list[Trick]] = field(default_factory=dict)
    log: list[Asked] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)
    base: str = ""

    def publish(self, path: str, content: bytes, *tricks: Trick) -> Source:
        """Puts a file on the server and says how it is pinned."""
        where = f"/{REPOSITORY}/{COMMIT}/{path}"
        self.files[where] = content
        self.tricks[where] = list(tricks)
        digest = hashlib.sha256(content).hexdigest()
        return Source(REPOSITORY, COMMIT, path, len(content), digest)


class Handler(BaseHTTPRequestHandler):
    """Serves files with ETag, Range and If-Range, as RFC 9110 has them."""

    site: Site

    def do_GET(self) -> None:
        self.asked = Asked(self.path, dict(self.headers))
        self.site.log.append(self.asked)
        path = unquote(self.path)
        tricks = self.site.tricks.get(path, [])
        if tricks:
            tricks.pop(0)(self, self.site.files.get(path, b""))
        elif path in self.site.files:
            self.serve(self.site.files[path])
        else:
            self.reply(404, b"")

    def serve(self, content: bytes, up_to: int | None = None) -> None:
        """Answers as it should; the body ends after `up_to` bytes of it, the connection with it."""
        etag = f'"{hashlib.sha256(content).hexdigest()}"'
        wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        headers = {"ETag": etag}
        if wanted is None or self.headers.get("If-Range", etag) != etag:
            self.reply(200, content, headers, up_to)
        elif (first := int(wanted[1])) >= len(content):
            self.reply(416, b"", headers | {"Content-Range": f"bytes */{len(content)}"})
        else:
            span = f"bytes {first}-{len(content) - 1}/{len(content)}"
            self.reply(206, content[first:], headers | {"Content-Range": span}, up_to)

    def reply(
        self,
        status: int,
        body: bytes,
        headers: dict[str, str] | None = None,
        up_to: int | None = None,
    ) -> None:
        """Sends status, headers with the body's length, and the body or its beginning."""
        self.head(status, {"Content-Length": str(len(body))} | (headers or {}))
        self.send(body[:up_to])

    def head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def send(self, data: bytes) -> None:
        self.wfile.write(data)
        self.wfile.flush()
        self.asked.sent += len(data)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the parent's name
        """Says nothing on stderr."""


Trick = Callable[[Handler, bytes], None]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is what some tests are about."""


@contextmanager
def serving() -> Iterator[Site]:
    """Runs a server with an empty site for as long as the context lasts."""
    site = Site()
    handler = type("SiteHandler", (Handler,), {"site": site})
    with _Server(("127.0.0.1", 0), handler) as server:
        site.base = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield site
        finally:
            site.closing.set()
            server.shutdown()
            thread.join()
