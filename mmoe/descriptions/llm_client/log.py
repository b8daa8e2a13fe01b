"""The log of runs: when each asked, whom, and what that has cost. What never changes is in the ledger."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


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
