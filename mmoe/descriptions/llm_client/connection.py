"""The calls to the server; imports the openai package, so it is loaded only to send."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from openai import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    AsyncOpenAI,
    DefaultAsyncHttpx2Client,
    OpenAIError,
    Timeout,
)

from mmoe.descriptions.llm_client.key import ApiKey
from mmoe.descriptions.llm_client.response import NoResponse, Response, Retry, classify_response
from mmoe.descriptions.llm_client.types import Stop
from mmoe.errors import one_line

_CONNECT = 10.0  # seconds to open a connection
_HEADERS = ("retry-after", "retry-after-ms", "x-should-retry")
_NAME = "mmoe"  # of the batch's metadata that says which one of ours it is


class StopError(Exception):
    """The run ends."""

    def __init__(self, stop: Stop) -> None:
        super().__init__(stop.why)
        self.stop = stop


def open_client(url: str, secret: ApiKey, silence: float, retries: int = 0) -> AsyncOpenAI:
    """Connections to one server; redirects are not followed: requests go where the user was told.

    Args:
        silence: seconds without a byte after which a call is lost.
        retries: by the openai package itself.
    """
    timeout = Timeout(silence, connect=min(_CONNECT, silence))
    return AsyncOpenAI(
        api_key=secret.reveal(),
        base_url=url,
        max_retries=retries,
        timeout=timeout,
        http_client=DefaultAsyncHttpx2Client(timeout=timeout, follow_redirects=False),
    )


async def send(
    client: AsyncOpenAI, body: Mapping[str, Any], timeout: float
) -> Response | NoResponse:
    """Sends chat.completions arguments once; the response may have any status.

    Args:
        timeout: seconds for the whole answer; the package's own limit is for each silence.
    """
    try:
        async with asyncio.timeout(timeout):
            raw = await client.chat.completions.with_raw_response.create(**body)
            return _response(raw.status_code, raw.content, raw.headers)
    except APIStatusError as error:
        response = error.response
        return _response(response.status_code, response.content, response.headers)
    except (TimeoutError, APITimeoutError):
        return NoResponse("time out", f"no answer within {timeout:g} s")
    except APIConnectionError as error:
        # Its cause says what happened, its own text only that something did.
        cause = error.__cause__ or error
        return NoResponse("no connection", f"{type(cause).__name__} {cause}")


def _response(status: int, content: bytes, headers: Mapping[str, str]) -> Response:
    return Response(status, content, {k: headers[k] for k in _HEADERS if k in headers})


@dataclass(frozen=True, slots=True)
class BatchState:
    """A batch's status, the files that it has written, and the words of its errors."""

    status: str
    files: list[str]
    words: str

    @property
    def has_ended(self) -> bool:
        return self.status in ("completed", "failed", "expired", "cancelled")


@dataclass(frozen=True)
class BatchConnection:
    """Files and batches of one server; every call raises StopError if it fails for good."""

    client: AsyncOpenAI
    secret: ApiKey

    async def create(self, name: str, lines: bytes) -> str:
        """Uploads requests and starts a batch of that name; returns its id."""
        with self._failing():
            file = await self.client.files.create(file=(f"{name}.jsonl", lines), purpose="batch")
            batch = await self.client.batches.create(
                input_file_id=file.id,
                endpoint="/v1/chat/completions",
                completion_window="24h",
                metadata={_NAME: name},
            )
            return batch.id

    async def find(self, name: str) -> str | None:
        """The id of the batch of that name, if one was started."""
        with self._failing():
            async for batch in self.client.batches.list(limit=100):
                if (batch.metadata or {}).get(_NAME) == name:
                    return batch.id
        return None

    async def state(self, batch_id: str) -> BatchState:
        with self._failing():
            batch = await self.client.batches.retrieve(batch_id)
        errors = (batch.errors.data or []) if batch.errors else []
        words = "; ".join(error.message or "" for error in errors)
        files = [file for file in (batch.output_file_id, batch.error_file_id) if file]
        return BatchState(batch.status, files, self.secret.line(words))

    async def content(self, file_id: str) -> bytes:
        with self._failing():
            return (await self.client.files.content(file_id)).content

    @contextmanager
    def _failing(self) -> Iterator[None]:
        try:
            yield
        except APIStatusError as error:
            response = Response(error.status_code, error.response.content)
            match outcome := classify_response("", response, self.secret):
                case Stop(by="key" | "permission" | "quota" | "address"):
                    raise StopError(outcome) from None
                case Retry(without=None):
                    why = f"the server does not answer ({outcome.otherwise.error})"
                    raise StopError(Stop("server", why)) from None
            words = self.secret.line(f"{error.status_code} {one_line(error)}")
            why = f"the server's Batch API fails ({words}); look at rank.base_url, or set llm.mode to direct"
            raise StopError(Stop("batch", why)) from None
        except OpenAIError as error:
            why = f"the server does not answer ({self.secret.line(one_line(error))})"
            raise StopError(Stop("server", why)) from None
