"""The ledger of a run: what was asked and answered, the same from run to run."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from mmoe.descriptions.llm_client.types import Reply, Request
from mmoe.files import atomic_write, content_key

NOT_ASKED = "not asked"


def write_ledger(
    path: Path,
    requests: Iterable[Request],
    replies: Mapping[str, Reply],
    choices: Mapping[str, int | None],
) -> None:
    """Writes one JSON line a question, sorted by key, without times or anything secret; whole or not at all.

    Args:
        replies: by the question's key.
        choices: by the question's key: the option that was read from the reply, 0 for none of them; None or
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
