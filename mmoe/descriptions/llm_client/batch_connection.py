"""The calls of the Batch API; imports the client library, so it is loaded only to ask."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from openai import APIStatusError, OpenAIError

from mmoe.descriptions.llm_client.batch_lines import BatchState, StopError
from mmoe.descriptions.llm_client.connection import Client
from mmoe.descriptions.llm_client.key import ApiKey
from mmoe.descriptions.llm_client.settings import AskSettings
from mmoe.descriptions.llm_client.verdict import Again, Answer, Stop, judge
from mmoe.errors import one_line

_RETRIES = 5
_SILENCE = 600.0  # seconds; a file is large
_NAME = "mmoe"  # of the batch's metadata that says which one of ours it is


class BatchConnection(Client):
    """Files and batches of one server; every call raises StopError if it fails for good."""

    def __init__(self, settings: AskSettings, secret: ApiKey) -> None:
        super().__init__(settings, secret, _SILENCE, _RETRIES)

    async def create(self, name: str, lines: bytes) -> str:
        """Uploads questions and starts a batch of that name; returns its id."""
        with self._failing():
            file = await self._client.files.create(file=(f"{name}.jsonl", lines), purpose="batch")
            batch = await self._client.batches.create(
                input_file_id=file.id,
                endpoint="/v1/chat/completions",
                completion_window="24h",
                metadata={_NAME: name},
            )
            return batch.id

    async def find(self, name: str) -> str | None:
        """The id of the batch of that name, if one was started."""
        with self._failing():
            async for batch in self._client.batches.list(limit=100):
                if (batch.metadata or {}).get(_NAME) == name:
                    return batch.id
        return None

    async def state(self, batch_id: str) -> BatchState:
        with self._failing():
            batch = await self._client.batches.retrieve(batch_id)
        errors = (batch.errors.data or []) if batch.errors else []
        words = "; ".join(error.message or "" for error in errors)
        files = [file for file in (batch.output_file_id, batch.error_file_id) if file]
        return BatchState(batch.status, files, self._secret.line(words))

    async def content(self, file_id: str) -> bytes:
        with self._failing():
            return (await self._client.files.content(file_id)).content

    @contextmanager
    def _failing(self) -> Iterator[None]:
        stop: Stop | None = None
        try:
            yield
        except APIStatusError as error:
            verdict = judge("", Answer(error.status_code, error.response.content), self._secret)
            if isinstance(verdict, Stop) and verdict.by in (
                "key",
                "permission",
                "quota",
                "address",
            ):
                stop = verdict
            elif isinstance(verdict, Again):
                stop = Stop("server", f"the server does not answer ({verdict.otherwise.error})")
            else:
                words = self._secret.line(f"{error.status_code} {one_line(error)}")
                why = "look at rank.base_url, or ask without batches"
                stop = Stop("batch", f"the server's Batch API fails ({words}); {why}")
        except OpenAIError as error:
            words = self._secret.line(one_line(error))
            stop = Stop("server", f"the server does not answer ({words})")
        if stop is not None:
            raise StopError(stop)
