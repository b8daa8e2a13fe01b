"""Questions, a clock that needs no time, and one run of the asker in a process."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from mmoe.descriptions.llm_client import AskSettings, Request, ask_all, ask_batch
from mmoe.descriptions.llm_client.pace import Clock
from mmoe.files import content_key

from tests.imports import ROOT

CANARY = "sk-canary-4c9b51d7e2a04f6b"
STARTED = 1_800_000_000.0  # seconds since 1970


def question(text: str, url: str = "", **more: object) -> Request:
    body = {"model": "m", "messages": [{"role": "user", "content": text}], "temperature": 0}
    return Request(content_key(body | more, url), body | more)


def questions(number: int, url: str = "") -> list[Request]:
    return [question(f"say {n}", url) for n in range(number)]


class QuickClock:
    """Time that passes only while somebody sleeps; notes for how long."""

    def __init__(self) -> None:
        self.sleeps: list[float] = []
        self._now = 0.0

    def now(self) -> float:
        return self._now

    def wall(self) -> float:
        return STARTED + self._now

    async def sleep(self, seconds: float, woken: asyncio.Event) -> None:
        if not woken.is_set():
            self.sleeps.append(seconds)
            self._now += seconds
        await asyncio.sleep(0)

    def clock(self) -> Clock:
        return Clock(self.now, self.wall, self.sleep)


def start(url: str, folder: Path, texts: Sequence[str], way: str = "all") -> subprocess.Popen[str]:
    """A process that asks `texts`."""
    environment = dict(os.environ) | {"MMOE_CACHE": str(folder), "no_proxy": "127.0.0.1"}
    line = [sys.executable, "-m", "tests.descriptions.llm_client.runs", way, url, *texts]
    return subprocess.Popen(
        line, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def main(way: str, url: str, *texts: str) -> int:
    """Asks and prints the texts of the replies by key; run as a process, to be killed."""
    # What a shell starts in the background inherits that Ctrl-C is ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    settings = AskSettings(base_url=url, concurrency=4, max_concurrency=4)
    ask = {"all": ask_all, "batch": ask_batch}[way]
    asked = ask([question(text, url) for text in texts], settings)
    asked.raise_if_stopped()
    print(json.dumps({key: reply.text for key, reply in sorted(asked.replies.items())}))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
