"""Ways in which a server or a network misbehaves, one function each."""

from __future__ import annotations

import gzip
import socket
from email.utils import formatdate
from time import time

from tests.datasets.download.server import Handler, Trick


def cut_after(num_bytes: int) -> Trick:
    """Promises the whole file and hangs up early."""

    def trick(handler: Handler, content: bytes) -> None:
        handler.serve(content, up_to=num_bytes)

    return trick


def status(code: int, **headers: str) -> Trick:
    """Refuses; underscores in header names stand for hyphens."""

    def trick(handler: Handler, _: bytes) -> None:
        handler.reply(code, b"no", {name.replace("_", "-"): v for name, v in headers.items()})

    return trick


def date_in(seconds: float) -> str:
    """An HTTP date so many seconds from now."""
    return formatdate(time() + seconds, usegmt=True)


def other_file(content: bytes) -> Trick:
    """Serves something else."""

    def trick(handler: Handler, _: bytes) -> None:
        handler.serve(content)

    return trick


def whole_file_always(handler: Handler, content: bytes) -> None:
    """Knows no Range."""
    handler.reply(200, content)


def wrong_range(first: int) -> Trick:
    """Answers a Range with bytes from `first` on."""

    def trick(handler: Handler, content: bytes) -> None:
        span = f"bytes {first}-{len(content) - 1}/{len(content)}"
        handler.reply(206, content[first:], {"Content-Range": span})

    return trick


def same_range_of_another(content: bytes, **headers: str) -> Trick:
    """Answers 206 with the right Content-Range, out of another file."""

    def trick(handler: Handler, _: bytes) -> None:
        first = int(handler.headers["Range"].removeprefix("bytes=").rstrip("-"))
        span = f"bytes {first}-{len(content) - 1}/{len(content)}"
        handler.reply(206, content[first:], {"Content-Range": span} | headers)

    return trick


def chunked(num_bytes: int | None = None) -> Trick:
    """Sends the file (or its beginning, and hangs up) in chunks of 1,000 bytes, without a length."""

    def trick(handler: Handler, content: bytes) -> None:
        handler.protocol_version = "HTTP/1.1"
        handler.head(200, {"Transfer-Encoding": "chunked", "Connection": "close"})
        for start in range(0, len(content[:num_bytes]), 1000):
            part = content[:num_bytes][start : start + 1000]
            handler.send(b"%x\r\n%b\r\n" % (len(part), part))
        if num_bytes is None:
            handler.send(b"0\r\n\r\n")

    return trick


def until_close(num_bytes: int | None = None) -> Trick:
    """Sends the file (or its beginning); only the end of the connection says that it is over."""

    def trick(handler: Handler, content: bytes) -> None:
        handler.head(200, {})
        handler.send(content[:num_bytes])

    return trick


def gzipped(num_bytes: int | None = None) -> Trick:
    """Compresses on the way although nobody asked for it; optionally hangs up early."""

    def trick(handler: Handler, content: bytes) -> None:
        packed = gzip.compress(content)
        handler.reply(200, packed, {"Content-Encoding": "gzip", "ETag": '"packed"'}, num_bytes)

    return trick


def silent_after(num_bytes: int) -> Trick:
    """Sends the beginning and then nothing, but doesn't hang up."""

    def trick(handler: Handler, content: bytes) -> None:
        handler.serve(content, up_to=num_bytes)
        handler.site.closing.wait(20)

    return trick


def trickle(pause: float, start: int = 0) -> Trick:
    """Sends `start` bytes, then one at a time, for ever."""

    def trick(handler: Handler, content: bytes) -> None:
        handler.head(200, {"Content-Length": str(len(content))})
        handler.send(content[:start])
        for place in range(start, len(content)):
            handler.send(content[place : place + 1])
            if handler.site.closing.wait(pause):
                return

    return trick


def redirect_to(url: str) -> Trick:
    """Sends the client elsewhere."""

    def trick(handler: Handler, _: bytes) -> None:
        handler.reply(302, b"", {"Location": url})

    return trick


def hang_up(handler: Handler, _: bytes) -> None:
    """Closes the connection without a word."""
    handler.connection.shutdown(socket.SHUT_RDWR)
