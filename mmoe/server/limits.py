"""ASGI middleware: who may ask, and how much a request may hold."""

from __future__ import annotations

import hmac
import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

OPEN = ("/", "/health", "/ready", "/favicon.ico")  # need no key
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]


class _TooLargeError(Exception):
    pass


class Limits:
    """Turns away requests without the key, and those with a body that is too large.

    Args:
        api_key: as `Authorization: Bearer <key>` or `X-API-Key: <key>`; None lets everybody in.
        max_body: bytes.
    """

    def __init__(self, app: App, api_key: str | None, max_body: int) -> None:
        self._app, self._key, self._max_body = app, api_key, max_body

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        if self._key is not None and scope["path"] not in OPEN and not self._may(headers):
            await _answer(send, 401, "the key is missing or wrong; send it as X-API-Key")
            return
        large = f"a request may hold {self._max_body:,} bytes; send a smaller image or text"
        length = headers.get(b"content-length", b"0")
        if not length.isdigit() or int(length) > self._max_body:
            await _answer(send, 413 if length.isdigit() else 400, large)
            return
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
            has_begun = True
            await send(message)

        try:
            await self._app(scope, counted, noted)
        except _TooLargeError:
            if not has_begun:
                await _answer(send, 413, large)

    def _may(self, headers: dict[bytes, bytes]) -> bool:
        assert self._key is not None
        bearer = headers.get(b"authorization", b"").partition(b" ")[2]
        sent = headers.get(b"x-api-key", bearer)
        return hmac.compare_digest(sent, self._key.encode())


async def _answer(send: Send, status: int, detail: str) -> None:
    body = json.dumps({"detail": detail}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
