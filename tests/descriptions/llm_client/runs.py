"""Requests, clients, a clock that needs no time, and one run of a client in a process."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from mmoe.config.llm import LlmParams
from mmoe.descriptions.llm_client.client import LlmClient
from mmoe.descriptions.llm_client.session import Clock
from mmoe.descriptions.llm_client.types import Request, Round
from mmoe.files import content_key

from tests.imports import ROOT

CANARY = "sk-canary-4c9b51d7e2a04f6b"
STARTED = 1_800_000_000.0  # seconds since 1970


def request(text: str, url: str = "", **more: object) -> Request:
    body = {"model": "m", "messages": [{"role": "user", "content": text}], "temperature": 0}
    return Request(content_key(body | more, url), body | more)


def requests(number: int, url: str = "") -> list[Request]:
    return [request(f"say {n}", url) for n in range(number)]


def stopped_by(found: Round) -> str | None:
    """The kind of reason for which a round ended early."""
    return found.stop.by if found.stop else None


class QuickClock:
    """Time that passes only while somebody sleeps; notes for how long."""

    def __init__(self) -> None:
        self.sleeps: list[float] = []
        self.time = 0.0

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        until = self.time + seconds
        await asyncio.sleep(0)
        self.time = max(self.time, until)

    def clock(self) -> Clock:
        return Clock(self.now, lambda: STARTED + self.time, self.sleep)


@dataclass(frozen=True)
class Clients:
    """Makes clients of one server that share a cache."""

    url: str
    folder: Path
    time_of: QuickClock

    def __call__(self, timeout: float = 60.0, concurrency: int = 64, **params: Any) -> LlmClient:
        """A client with `params` of section llm."""
        clock = self.time_of.clock()
        return LlmClient(self.url, LlmParams(**params), self.folder, timeout, concurrency, clock)


def start(
    url: str, folder: Path, texts: Sequence[str], mode: str = "direct"
) -> subprocess.Popen[str]:
    """A process that sends `texts`."""
    environment = dict(os.environ) | {"MMOE_CACHE": str(folder), "no_proxy": "127.0.0.1"}
    line = [sys.executable, "-m", "tests.descriptions.llm_client.runs", mode, url, *texts]
    return subprocess.Popen(
        line, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def main(mode: Literal["direct", "batch"], url: str, *texts: str) -> int:
    """Sends and prints the texts of the replies by key; run as a process, to be killed."""
    # What a shell starts in the background inherits that Ctrl-C is ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    client = LlmClient(url, LlmParams(mode=mode), concurrency=4)
    found = client.complete([request(text, url) for text in texts])
    found.raise_if_stopped()
    print(json.dumps({key: reply.text for key, reply in sorted(found.replies.items())}))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))  # type: ignore[arg-type]
