"""A process that makes one trial after the other, so that a crash, a hang or too much memory is seen."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import time
from collections.abc import Sequence
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.campaign.attack import Attack, found
from tests.campaign.process import FORKS

SECONDS = 20.0  # that a trial may take
LOADING = 120.0  # and one before the first of its kind, which loads libraries
LOADED = "loaded"
MEMORY = 2 << 30  # bytes that it may take, beyond what the libraries have taken


class Worker:
    """Starts the process when it is first needed, and again after a trial has ended it."""

    def __init__(self, attacks: Sequence[Attack], seed: int, folder: Path) -> None:
        self._attacks = {
            attack.name: replace(attack, before=None) for attack in attacks if attack.in_worker
        }
        self._seed, self._folder = seed, folder
        self._process: Any = None
        self._pipe: Connection | None = None
        self._known: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    def found(self, attack: Attack, number: int) -> str | None:
        """What a trial finds."""
        if self._pipe is None:
            self._begin()
        assert self._pipe is not None
        self._pipe.send((attack.name, number))
        if attack.name not in self._known:
            self._known.add(attack.name)
            answer = self._answer(LOADING)
            if answer != LOADED:
                return answer
        return self._answer(SECONDS)

    def _answer(self, seconds: float) -> str | None:
        """What the process sends within some seconds, or how it has ended instead."""
        assert self._pipe is not None
        if broken := self._broken_limit(seconds):
            self._end()
            return broken
        try:
            answer: str | None = self._pipe.recv()
        except EOFError:
            self._process.join()
            code = self._process.exitcode
            self._end()
            how = signal.Signals(-code).name if code and code < 0 else f"exit code {code}"
            return f"the process dies of {how}"
        return answer

    def _broken_limit(self, seconds: float) -> str | None:
        """Waits for an answer; says which limit the process has gone beyond, if it has."""
        assert self._pipe is not None
        before, until = self._memory(), time.monotonic() + seconds
        while not self._pipe.poll(0.05):
            if time.monotonic() > until:
                return f"hangs for more than {seconds:.0f} s"
            if self._memory() > before + MEMORY:
                return f"takes more than {MEMORY >> 30} GB of memory"
        return None

    def _memory(self) -> int:
        """Bytes that the process holds; 0 when it has gone."""
        try:
            pages = Path(f"/proc/{self._process.pid}/statm").read_text("ascii").split()
        except OSError:
            return 0
        return int(pages[1]) * resource.getpagesize() if pages else 0

    def _begin(self) -> None:
        self._pipe, theirs = FORKS.Pipe()
        arguments = (self._attacks, self._seed, self._folder, theirs)
        self._process = FORKS.Process(target=_work, args=arguments)
        self._process.start()
        theirs.close()
        self._known.clear()
        self._pipe.recv()  # it has started

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process, self._pipe = None, None


def _work(attacks: dict[str, Attack], seed: int, folder: Path, pipe: Connection) -> None:
    known: set[str] = set()
    streams = os.open(os.devnull, os.O_WRONLY)
    for number in (1, 2):
        os.dup2(streams, number)
    pipe.send("started")
    with contextlib.suppress(EOFError):  # of the other end
        while True:
            name, number = pipe.recv()
            if name not in known:  # what its first trial loads counts for none
                found(attacks[name], -1, seed, folder)
                known.add(name)
                pipe.send(LOADED)
            pipe.send(found(attacks[name], number, seed, folder))
