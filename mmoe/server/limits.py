"""ASGI middleware: who may ask, and how much a request may hold."""

from __future__ import annotations

import asyncio
import hmac
import json
import re
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from typing import Any

from starlette.requests import ClientDisconnect

OPEN = ("/", "/health", "/ready", "/favicon.ico")  # need no key
HOST = re.compile(r"[\w.-]+")
NOSNIFF = (b"x-content-type-options", b"nosniff")
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]


class _TooLargeError(Exception):
    pass


class Limits:
    """Turns away requests to another host or without the key, too large ones, and those that take too long.

    Args:
        api_key: as `Authorization: Bearer <key>` or `X-API-Key: <key>`; None lets everybody in.
        hosts: as `ServerSettings.hosts`.
        max_body: bytes.
        timeout: seconds, from the first byte of the body to the answer.
    """

    def __init__(
        self,
        app: App,
        api_key: str | None,
        hosts: Collection[str] | None,
        max_body: int,
        timeout: float,
    ) -> None:
        self._app, self._key, self._hosts = app, api_key, hosts
        self._max_body, self._timeout = max_body, timeout

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        if self._hosts is not None and (host := _host(headers)) not in self._hosts:
            allow = f"; mmoe serve --allow-host {host} changes that" if HOST.fullmatch(host) else ""
            await _answer(send, 403, f"this server does not answer to that host{allow}")
            return
        if self._key is not None and scope["path"] not in OPEN and not self._may(headers):
            await _answer(send, 401, "the key is missing or wrong; send it as X-API-Key")
            return
        length = headers.get(b"content-length", b"0")
        if not length.isdigit():
            await _answer(send, 400, "content-length is not a number; leave it out")
        elif int(length) > self._max_body:
            await _answer(send, 413, self._too_large)
        else:
            await self._watched(scope, receive, send)

    @property
    def _too_large(self) -> str:
        return f"a request may hold {self._max_body:,} bytes; send a smaller image or text"

    async def _watched(self, scope: Message, receive: Receive, send: Send) -> None:
        """Has a request answered, unless its body gets too large or it takes too long."""
        taken, has_begun = 0, False

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self._max_body:
                raise _TooLargeError
            return message

        async def noted(message: Message) -> None:
            nonlocal has_begun
            if message["type"] == "http.response.start":
                has_begun = True
                message["headers"] = [*message.get("headers", ()), NOSNIFF]
            await send(message)

        try:
            async with asyncio.timeout(self._timeout):
                await self._app(scope, counted, noted)
        except (_TooLargeError, TimeoutError) as error:
            if not has_begun:
                is_large = isinstance(error, _TooLargeError)
                said = self._too_large if is_large else "it took too long; try again later"
                await _answer(send, 413 if is_large else 503, said)
        except ClientDisconnect:
            pass  # nobody is there to be told

    def _may(self, headers: dict[bytes, bytes]) -> bool:
        assert self._key is not None
        bearer = headers.get(b"authorization", b"").partition(b" ")[2]
        sent = headers.get(b"x-api-key", bearer)
        return hmac.compare_digest(sent, self._key.encode())


def _host(headers: dict[bytes, bytes]) -> str:
    """The name that a request was sent to, without its port."""
    host = headers.get(b"host", b"").decode("latin-1").lower()
    return host if host.endswith("]") else host.rpartition(":")[0] or host


async def _answer(send: Send, status: int, detail: str) -> None:
    body = json.dumps({"detail": detail}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
