"""Ways in which the API misbehaves on one request; those of any server stand in `loopback`."""

from __future__ import annotations

import threading
import time
from email.utils import formatdate
from typing import Any

from tests.wikidata.api.fake.server import Handler, Trick


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
    handler.reply(429, b"slow down", "text/plain")


def api_error(code: str, info: str = "Something is wrong.", **more: Any) -> Trick:
    """An error inside HTTP 200."""
    return lambda handler: handler.error(code, info, **more)


def list_of_errors(code: str, text: str) -> Trick:
    """The shape that other values of errorformat have."""
    errors = [{"code": code, "text": text, "module": "main"}]
    return lambda handler: handler.json({"errors": errors, "servedby": "mw1"})


def held(arrived: threading.Event, release: threading.Event) -> Trick:
    """Tells that the request has come, and answers it only when told to."""

    def trick(handler: Handler) -> None:
        arrived.set()
        release.wait(20)
        handler.act()

    return trick
