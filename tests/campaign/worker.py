"""A process that makes one trial after the other, so that a crash, a hang or too much memory is seen."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.campaign.attack import Attack, found
from tests.campaign.process import FORKS

SECONDS = 20.0  # that a trial may take
MEMORY = 2 << 30  # bytes that it may take, beyond what the libraries have taken


class Worker:
    """Starts the process when it is first needed, and again after a trial has ended it."""

    def __init__(self, attacks: Sequence[Attack], seed: int, folder: Path) -> None:
        self._attacks = {attack.name: attack for attack in attacks if attack.in_worker}
        self._seed, self._folder = seed, folder
        self._process: Any = None
        self._pipe: Connection | None = None

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
            self._begin(attack)
        assert self._pipe is not None
        self._pipe.send((attack.name, number))
        if not self._pipe.poll(SECONDS):
            self._end()
            return f"hangs for more than {SECONDS:.0f} s"
        try:
            answer: str | None = self._pipe.recv()
        except EOFError:
            self._process.join()
            code = self._process.exitcode
            self._end()
            how = signal.Signals(-code).name if code and code < 0 else f"exit code {code}"
            return f"the process dies of {how}"
        return answer

    def _begin(self, first: Attack) -> None:
        self._pipe, theirs = FORKS.Pipe()
        arguments = (self._attacks, self._seed, self._folder, theirs, first.name)
        self._process = FORKS.Process(target=_work, args=arguments)
        self._process.start()
        theirs.close()
        self._pipe.recv()  # ready: what a first trial loads counts for none

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process, self._pipe = None, None


def _work(
    attacks: dict[str, Attack], seed: int, folder: Path, pipe: Connection, first: str
) -> None:
    streams = os.open(os.devnull, os.O_WRONLY)
    for number in (1, 2):
        os.dup2(streams, number)
    found(attacks[first], -1, seed, folder)
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
    limit = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    pipe.send("ready")
    with contextlib.suppress(EOFError):  # of the other end
        while True:
            name, number = pipe.recv()
            pipe.send(found(attacks[name], number, seed, folder))
