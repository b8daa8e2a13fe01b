"""What a run leaves behind: a ledger, the same from run to run, and a log, which tells times and money."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mmoe.descriptions.llm_client.types import Reply, Request
from mmoe.files import atomic_write, content_key

NOT_ASKED = "not asked"


def write_ledger(
    path: Path,
    requests: Iterable[Request],
    replies: Mapping[str, Reply],
    choices: Mapping[str, int | None],
) -> None:
    """Writes one JSON line a request, sorted by key, without times or anything secret; whole or not at all.

    Args:
        replies: by the request's key.
        choices: by the request's key: the option that was read from the reply, 0 for none of them; None or
            absent where nothing could be read.
    """
    distinct = {request.key: request for request in requests}
    with atomic_write(path) as temporary, temporary.open("w", encoding="utf-8") as stream:
        for key, request in sorted(distinct.items()):
            reply = replies.get(key) or Reply(key, NOT_ASKED)
            line = {
                "key": key,
                "prompt": content_key(request.body.get("messages")),
                "model": reply.model or request.body.get("model"),
                "fingerprint": reply.fingerprint,
                "left_out": reply.left_out,
                "outcome": reply.outcome,
                "answer": reply.text,
                "choice": choices.get(key),
                "prompt_tokens": reply.prompt_tokens,
                "completion_tokens": reply.completion_tokens,
            }
            stream.write(json.dumps(line, ensure_ascii=False) + "\n")


@contextmanager
def logged(
    path: Path, about: Mapping[str, Any], counts: Callable[[], Mapping[str, Any]]
) -> Iterator[None]:
    """Adds a JSON line when a run starts and one when it ends, in whatever way; a killed run has the first.

    Args:
        about: model and server, nothing secret.
        counts: tells what has come of the run.
    """
    started, is_finished = _now(), False
    _add(path, {"event": "started", "started": started, **about})
    try:
        yield
        is_finished = True
    finally:
        times = {"started": started, "ended": _now(), "is_finished": is_finished}
        _add(path, {"event": "ended", **times, **about, **counts()})


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _add(path: Path, line: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(line, ensure_ascii=False) + "\n")
        stream.flush()
        os.fsync(stream.fileno())
