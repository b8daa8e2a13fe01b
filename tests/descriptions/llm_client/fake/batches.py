"""The Batch API of the fake: files, batches, and what can go wrong with their lines."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.descriptions.llm_client.fake.server import Handler

Json = dict[str, Any]
Lines = tuple[list[Any], list[Any]]  # of the output and of the error file


def completion(text: str | None, body: Mapping[str, Any], **message: Any) -> Json:
    """A completion as documented."""
    said = {"role": "assistant", "content": text, "refusal": None, "annotations": []} | message
    words = sum(len(str(one["content"]).split()) for one in body["messages"])
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": f"{body['model']}-2026-01-01",
        "system_fingerprint": "fp_x",
        "choices": [{"index": 0, "finish_reason": "stop", "logprobs": None, "message": said}],
        "usage": {"prompt_tokens": words, "completion_tokens": 1, "total_tokens": words + 1},
    }


def answered(line: Json) -> Json:
    """A line of the output file: a completion that repeats the question's last word."""
    body = line["body"]
    content = completion(body["messages"][-1]["content"].split()[-1], body)
    return responded(line, 200, content)


def responded(line: Json, status: int, body: Any) -> Json:
    response = {"status_code": status, "request_id": "r", "body": body}
    return {"id": "b", "custom_id": line["custom_id"], "response": response, "error": None}


def failed(line: Json, code: str) -> Json:
    error = {"code": code, "message": "No answer."}
    return {"id": "b", "custom_id": line["custom_id"], "response": None, "error": error}


@dataclass
class Batches:
    """What was uploaded and started, and how it goes.

    Attributes:
        work: makes the lines of output and error file out of one question's line, or none.
        ends: status in which the n-th batch ends, "completed" if it is not named.
        holds: whether no batch ends.
        away: looks at a batch that fail.
        refuses: answers every upload and start.
        on_create: called with a number when a batch was started, before the client hears of it.
    """

    work: Callable[[Json, int], Lines] = lambda line, _: ([answered(line)], [])
    ends: dict[int, str] = field(default_factory=dict)
    holds: bool = False
    away: int = 0
    on_create: Callable[[int, Handler], None] = lambda *_: None
    refuses: Callable[[Handler], None] | None = None
    files: dict[str, bytes] = field(default_factory=dict)
    batches: dict[str, Json] = field(default_factory=dict)
    _looks: dict[str, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def lines(self, number: int) -> list[Json]:
        """The questions of the n-th batch, from 1."""
        batch = self.batches[f"batch_{number}"]
        return [json.loads(line) for line in self.files[batch["input_file_id"]].splitlines()]

    def post(self, handler: Handler, content: bytes) -> None:
        if self.refuses is not None:
            self.refuses(handler)
        elif handler.path == "/v1/files":
            start = content.index(b'{"custom_id"')
            name = self.add(content[start : content.rindex(b"}\n") + 2])
            assert b'name="purpose"\r\n\r\nbatch\r\n' in content
            handler.json(200, {"id": name, "object": "file", "purpose": "batch"})
        else:
            number, batch = self.create(json.loads(content))
            self.on_create(number, handler)
            handler.json(200, batch)

    def get(self, handler: Handler) -> None:
        parts = handler.path.partition("?")[0].split("/")[2:]
        if parts[0] == "files":
            handler.reply(200, self.files[parts[1]], {"Content-Type": "application/octet-stream"})
        elif len(parts) == 1:
            newest = list(self.batches.values())[::-1]
            handler.json(200, {"object": "list", "data": newest, "has_more": False})
        elif self.away > 0:
            self.away -= 1
            handler.error(502, "Bad gateway")
        else:
            handler.json(200, self.look(parts[1]))

    def add(self, content: bytes) -> str:
        with self._lock:
            name = f"file_{len(self.files) + 1}"
            self.files[name] = content
            return name

    def create(self, asked: Mapping[str, Any]) -> tuple[int, Json]:
        assert (asked["endpoint"], asked["completion_window"]) == ("/v1/chat/completions", "24h")
        with self._lock:
            number = len(self.batches) + 1
            batch: Json = {"id": f"batch_{number}", "object": "batch", "status": "validating"}
            batch |= {"output_file_id": None, "error_file_id": None, **asked}
            self.batches[batch["id"]] = batch
            return number, batch

    def look(self, name: str) -> Json:
        """A batch's state; it ends at the second look."""
        batch = self.batches[name]
        self._looks[name] = self._looks.get(name, 0) + 1
        if not self.holds and self._looks[name] == 2:
            self.end(batch, int(name.removeprefix("batch_")))
        elif batch["status"] == "validating":
            batch["status"] = "in_progress"
        return batch

    def end(self, batch: Json, number: int) -> None:
        batch["status"] = self.ends.get(number, "completed")
        if batch["status"] == "failed":
            batch["errors"] = {"data": [{"message": "Enqueued token limit reached"}]}
            return
        done = [self.work(line, number) for line in self.lines(number)]
        for name, place in (("output_file_id", 0), ("error_file_id", 1)):
            lines = [line for both in done for line in both[place]]
            random.Random(number).shuffle(lines)  # noqa: S311 - not a secret
            if lines:
                texts = [one if isinstance(one, str) else json.dumps(one) for one in lines]
                batch[name] = self.add("\n".join(texts).encode())
