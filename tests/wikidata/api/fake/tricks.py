"""Ways in which the API, its edge or the network misbehave on one request, one function each."""

from __future__ import annotations

import json
import socket
import threading
import time
from email.utils import formatdate
from typing import Any

from tests.wikidata.api.fake.server import Handler, Trick

HTML = b"<!DOCTYPE html><html><title>Wikimedia Error</title><p>Our servers are busy.</html>"


def lagged(seconds: float) -> Trick:
    """Databases that lag behind."""
    return lambda handler: handler.lagging(seconds)


def limited(seconds: int) -> Trick:
    """Too many requests, with a wait in seconds."""
    return lambda handler: handler.too_many(str(seconds), seconds)


def limited_until(seconds: float) -> Trick:
    """Too many requests, with a wait as a date, which knows whole seconds only."""

    def trick(handler: Handler) -> None:
        handler.too_many(formatdate(time.time() + seconds, usegmt=True), seconds - 1)

    return trick


def limited_without_wait(handler: Handler) -> None:
    """Too many requests, and no word about when to come back."""
    handler.reply(429, b"slow down", {"Content-Type": "text/plain"})


def html(status: int, **headers: str) -> Trick:
    """A page from the edge in place of an answer; underscores in header names stand for hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    def trick(handler: Handler) -> None:
        handler.asked.code = "html"
        handler.reply(status, HTML, {"Content-Type": "text/html"} | named)

    return trick


def refused_agent(handler: Handler) -> None:
    """The User-Agent does not please."""
    handler.refuse_agent()


def body(content: bytes, status: int = 200) -> Trick:
    """Whatever a test thinks of, called JSON."""
    return lambda handler: handler.reply(status, content, {"Content-Type": "application/json"})


def api_error(code: str, info: str = "Something is wrong.", **more: Any) -> Trick:
    """An error inside HTTP 200."""
    return lambda handler: handler.error(code, info, **more)


def list_of_errors(code: str, text: str) -> Trick:
    """The shape that other values of errorformat have."""
    errors = [{"code": code, "text": text, "module": "main"}]

    def trick(handler: Handler) -> None:
        handler.asked.code = code
        handler.json({"errors": errors, "servedby": "mw1"})

    return trick


def malformed(handler: Handler) -> None:
    """An answer with a hole."""
    good = json.dumps(handler.good()).encode()
    handler.asked.code = "malformed"
    handler.reply(200, good[: len(good) // 2] + b'"', {"Content-Type": "application/json"})


def truncated(handler: Handler) -> None:
    """Half an answer that claims to be whole."""
    good = json.dumps(handler.good()).encode()
    handler.asked.code = "truncated"
    handler.reply(200, good[: len(good) // 2], {"Content-Type": "application/json"})


def cut_in_body(handler: Handler) -> None:
    """Promises the whole answer and hangs up early."""
    good = json.dumps(handler.good()).encode()
    handler.asked.code = "cut"
    handler.reply(200, good, {"Content-Type": "application/json"}, up_to=15)
    handler.close_connection = True


def hang_up(handler: Handler) -> None:
    """Closes the connection without a word."""
    handler.asked.code = "hung up"
    handler.done()
    handler.connection.shutdown(socket.SHUT_RDWR)


def held(arrived: threading.Event, release: threading.Event) -> Trick:
    """Tells that the request has come, and answers it only when told to."""

    def trick(handler: Handler) -> None:
        arrived.set()
        release.wait(20)
        handler.act()

    return trick
