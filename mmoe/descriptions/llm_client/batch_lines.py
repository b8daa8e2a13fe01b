"""Lines of batch files, and what is known of a batch."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mmoe.descriptions.llm_client.types import Request
from mmoe.descriptions.llm_client.verdict import Answer, Stop

MOST_LINES = 50_000
MOST_BYTES = 190_000_000  # the limit is 200 MB


class StopError(Exception):
    """The run ends."""

    def __init__(self, stop: Stop) -> None:
        super().__init__(stop.why)
        self.stop = stop


@dataclass(frozen=True, slots=True)
class BatchState:
    """A batch's status, the files that it has written, and the words of its errors."""

    status: str
    files: list[str]
    words: str

    @property
    def has_ended(self) -> bool:
        return self.status in ("completed", "failed", "expired", "cancelled")


def line_of(key: str, body: Mapping[str, Any]) -> bytes:
    """A question as a line; what the client would merge is merged here."""
    whole = {name: value for name, value in body.items() if name != "extra_body"}
    whole |= body.get("extra_body") or {}
    line = {"custom_id": key, "method": "POST", "url": "/v1/chat/completions", "body": whole}
    return json.dumps(line).encode() + b"\n"


def parts(
    requests: Iterable[tuple[Request, bytes]],
    most_lines: int = MOST_LINES,
    most_bytes: int = MOST_BYTES,
) -> Iterator[list[tuple[Request, bytes]]]:
    """Questions and their lines in files of legal size, one model a file."""
    files: dict[Any, list[tuple[Request, bytes]]] = {}
    sizes: Counter[Any] = Counter()
    for request, line in requests:
        model = request.body.get("model")
        file = files.setdefault(model, [])
        if file and (len(file) >= most_lines or sizes[model] + len(line) > most_bytes):
            yield file
            file = files[model] = []
            sizes[model] = 0
        file.append((request, line))
        sizes[model] += len(line)
    yield from files.values()


def answers(content: bytes, oddities: Counter[str]) -> Iterator[tuple[str, Answer | None, str]]:
    """Of each line the key, the answer if there is one, and otherwise why not."""
    for raw in content.splitlines():
        if not raw.strip():
            continue
        try:
            line = json.loads(raw)
            key, response, error = line["custom_id"], line.get("response"), line.get("error")
        except (ValueError, TypeError, KeyError, AttributeError):
            oddities["unreadable line"] += 1
            continue
        if isinstance(response, dict) and isinstance(response.get("status_code"), int):
            body = json.dumps(response.get("body")).encode()
            yield str(key), Answer(response["status_code"], body), ""
        else:
            code = error.get("code") if isinstance(error, dict) else None
            yield str(key), None, code if isinstance(code, str) else "failed line"
