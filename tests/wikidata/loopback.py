"""What the fakes of Wikimedia's servers have in common."""

from __future__ import annotations

import json
import socket
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from tests.loopback import LoopbackHandler

NO_USER_AGENT = b"Please set a user-agent and respect our robot policy https://w.wiki/4wJS.\n"
HTML = b"<!DOCTYPE html><html><title>Wikimedia Error</title><p>Our servers are busy.</html>"
JSON = "application/json; charset=utf-8"
LIBRARIES = ("python-requests/", "python-urllib", "Python-urllib", "curl/", "Wget/")


class WikimediaHandler(LoopbackHandler, ABC):
    """Answers one request as Wikimedia's servers do."""

    def has_refused_agent(self) -> bool:
        """Whether the User-Agent is none or a library's own, which Wikimedia refuses."""
        agent = self.headers.get("User-Agent", "")
        return not agent or agent.startswith(LIBRARIES)

    @abstractmethod
    def good_answer(self) -> tuple[bytes, str]:
        """What the request should be answered with, and its type."""

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
        self.send(status, body, {"Content-Type": kind} | (headers or {}), up_to)

    def refuse_agent(self) -> None:
        self.reply(403, NO_USER_AGENT, "text/plain; charset=utf-8")


# Ways in which a server, its edge or the network misbehave on one request.

AnyTrick = Callable[[WikimediaHandler], None]


def page(status: int, **headers: str) -> AnyTrick:
    """A page from the edge in place of an answer; underscores in header names stand for hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda handler: handler.reply(status, HTML, "text/html", named)


def body(content: bytes, kind: str = JSON, status: int = 200) -> AnyTrick:
    """Whatever a test thinks of."""
    return lambda handler: handler.reply(status, content, kind)


def half(handler: WikimediaHandler) -> None:
    """Half an answer that claims to be whole."""
    good, kind = handler.good_answer()
    handler.reply(200, good[: len(good) // 2], kind)


def cut(handler: WikimediaHandler) -> None:
    """Promises the whole answer and hangs up early."""
    handler.reply(200, *handler.good_answer(), up_to=15)
    handler.close_connection = True


def hang_up(handler: WikimediaHandler) -> None:
    """Closes the connection without a word."""
    handler.answered(0)
    handler.connection.shutdown(socket.SHUT_RDWR)
