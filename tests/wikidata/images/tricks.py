"""Ways in which Commons or the network misbehave on one request, one function each."""

from __future__ import annotations

import socket
import threading
from urllib.parse import quote

from tests.wikidata.images.commons import Handler, Trick


def status(code: int, body: bytes = b"<title>Error</title>", **headers: str) -> Trick:
    """A page from the edge; underscores in header names stand for hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda handler: handler.reply(code, body, "text/html", named)


def body(content: bytes, kind: str = "image/jpeg") -> Trick:
    """Other bytes than the image's."""
    return lambda handler: handler.reply(200, content, kind)


def cut(handler: Handler) -> None:
    """Promises the whole image and hangs up early."""
    file = handler.commons.files[handler.name_asked_for()]
    handler.reply(200, file.content, file.mime, up_to=200)
    handler.close_connection = True


def half(handler: Handler) -> None:
    """Half an image that claims to be whole."""
    file = handler.commons.files[handler.name_asked_for()]
    handler.reply(200, file.content[: len(file.content) // 2], file.mime)


def hang_up(handler: Handler) -> None:
    """Closes the connection without a word."""
    handler.connection.shutdown(socket.SHUT_RDWR)


def redirected(code: int) -> Trick:
    """Sends the client on to another address."""

    def trick(handler: Handler) -> None:
        address = quote(f"/elsewhere{handler.asked.path}")
        handler.reply(code, b"", "text/html", {"Location": address})

    return trick


def held(arrived: threading.Event) -> Trick:
    """Sends the beginning, tells that, and then nothing."""

    def trick(handler: Handler) -> None:
        file = handler.commons.files[handler.name_asked_for()]
        handler.reply(200, file.content, file.mime, up_to=100)
        arrived.set()
        handler.commons.closing.wait(20)

    return trick
