"""Sends one question and brings back what came; imports the client library, so it is loaded only to ask."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from openai import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    AsyncOpenAI,
    DefaultAsyncHttpx2Client,
    Timeout,
)

from mmoe.descriptions.llm_client.key import ApiKey
from mmoe.descriptions.llm_client.settings import AskSettings
from mmoe.descriptions.llm_client.verdict import Answer, NoAnswer

_CONNECT = 10.0  # seconds to open a connection
_HEADERS = ("retry-after", "x-ratelimit-", "x-should-retry")


class Client:
    """Connections to one server; redirects are not followed: questions go where the user was told.

    Args:
        silence: seconds without a byte after which a call is lost.
        retries: by the client itself.
    """

    def __init__(
        self, settings: AskSettings, secret: ApiKey, silence: float, retries: int = 0
    ) -> None:
        timeout = Timeout(silence, connect=min(_CONNECT, silence))
        self._secret = secret
        self._client = AsyncOpenAI(
            api_key=secret.reveal(),
            base_url=settings.url,
            max_retries=retries,
            timeout=timeout,
            http_client=DefaultAsyncHttpx2Client(timeout=timeout, follow_redirects=False),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._client.close()


class Connection(Client):
    """Sends single questions; the client's own retries are off."""

    def __init__(self, settings: AskSettings, secret: ApiKey) -> None:
        super().__init__(settings, secret, settings.timeout)
        self._timeout = settings.timeout

    async def send(self, body: Mapping[str, Any]) -> Answer | NoAnswer:
        """Sends chat.completions arguments; the answer may have any status."""
        try:
            # The client's limit is for each silence; this one for the whole answer.
            async with asyncio.timeout(self._timeout):
                raw = await self._client.chat.completions.with_raw_response.create(**body)
                return _answer(raw.status_code, raw.content, raw.headers)
        except APIStatusError as error:
            response = error.response
            return _answer(response.status_code, response.content, response.headers)
        except (TimeoutError, APITimeoutError):
            return NoAnswer("time out", f"no answer within {self._timeout:g} s")
        except APIConnectionError as error:
            # Its cause says what happened, its own text only that something did.
            cause = error.__cause__ or error
            return NoAnswer("no connection", f"{type(cause).__name__} {cause}")


def _answer(status: int, content: bytes, headers: Mapping[str, str]) -> Answer:
    kept = {
        name.lower(): value for name, value in headers.items() if name.lower().startswith(_HEADERS)
    }
    return Answer(status, content, kept)
