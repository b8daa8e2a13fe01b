"""Commands as processes of their own, forked from one in which the libraries are loaded already.

Loading torch and transformers takes seconds, and a campaign starts thousands of processes. Only libraries of
others are loaded beforehand; each process has its folder, environment, streams and exit code.
"""

from __future__ import annotations

import atexit
import contextlib
import errno
import multiprocessing
import os
import runpy
import signal
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

LIBRARIES = (
    *("torch", "transformers", "transformers.modeling_utils", "safetensors.torch", "tokenizers"),
    *("pandas", "pyarrow.parquet", "scipy.stats", "sklearn.linear_model", "duckdb", "altair"),
    *("dvclive", "vl_convert", "jinja2", "pydantic", "ruamel.yaml", "typer", "tqdm", "PIL.Image"),
    *("uvicorn", "fastapi", "bm25s", "imagehash", "h5py", "huggingface_hub", "openai", "requests"),
)
LONGEST = 300.0  # seconds for which a command may run
# Before each of these the state of the disk may be told apart from that behind it.
CHANGES = {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.symlink"}
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
FORKS = multiprocessing.get_context("forkserver")


def load_libraries() -> None:
    """Has every process that is started from now on find the libraries loaded."""
    FORKS.set_forkserver_preload(list(LIBRARIES))


@dataclass(frozen=True)
class At:
    """What happens to a process, and when.

    Attributes:
        seam: number of the change to the disk, from 1, before which it happens; or else
        seconds: after its start.
        signal: that it gets; None: from that seam on the disk is full.
    """

    signal: int | None = signal.SIGKILL
    seam: int | None = None
    seconds: float = 0.0


class Done(NamedTuple):
    """How a command ended; `seams` are the changes that it made to the disk, in order."""

    code: int
    out: str
    err: str
    seams: list[str]
    seconds: float

    @property
    def told(self) -> str:
        """The last lines on stderr."""
        return self.err.strip()[-300:]


@dataclass
class Running:
    """A command under way."""

    process: Any
    streams: Path
    at: At | None
    started: float = field(default_factory=time.monotonic)

    def end(self, longest: float = LONGEST) -> Done:
        """Waits for it, and sends the signal when its time has come; TimeoutError if it does not end."""
        if self.at is not None and self.at.seam is None and self.at.signal is not None:
            self.process.join(max(0.0, self.started + self.at.seconds - time.monotonic()))
            self.send(self.at.signal)
        self.process.join(longest)
        if self.process.exitcode is None:
            self.process.kill()
            self.process.join()
            raise TimeoutError(f"runs for more than {longest:.0f} s")
        out, err, seams = (
            (self.streams / n).read_text("utf-8", "replace") for n in ("out", "err", "seams")
        )
        seconds = time.monotonic() - self.started
        return Done(self.process.exitcode, out, err, seams.splitlines(), seconds)

    def send(self, number: int) -> None:
        if self.process.exitcode is None:
            os.kill(self.process.pid, number)


def start(
    command: Sequence[str],
    root: Path,
    streams: Path,
    at: At | None = None,
    env: Mapping[str, str] | None = None,
) -> Running:
    """Starts `mmoe …` or a module with arguments.

    Args:
        root: folder that it stands in; changes there are what counts as a seam.
        streams: folder for what it prints, outside of `root`.
    """
    streams.mkdir(parents=True, exist_ok=True)
    for name in ("out", "err", "seams"):
        (streams / name).write_bytes(b"")
    process = FORKS.Process(target=_main, args=(list(command), root, streams, at, dict(env or {})))
    process.start()
    return Running(process, streams, at)


def call(
    command: Sequence[str],
    root: Path,
    streams: Path,
    at: At | None = None,
    env: Mapping[str, str] | None = None,
) -> Done:
    """Runs a command to its end."""
    return start(command, root, streams, at, env).end()


def _main(
    command: list[str], root: Path, streams: Path, at: At | None, env: dict[str, str]
) -> None:
    for number, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(streams / name, os.O_WRONLY | os.O_APPEND), number)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # which the server of forks ignores
    os.chdir(root)
    os.environ.update(env)
    _watch(root, os.open(streams / "seams", os.O_WRONLY | os.O_APPEND), at)
    os._exit(_ended(command))


def _ended(command: list[str]) -> int:
    """Runs a command as Python does, to its exit code."""
    try:
        code = run_here(command)
    except SystemExit as ended:
        code = ended.code
        if isinstance(code, str):
            print(code, file=sys.stderr)
            code = 1
    except BaseException as error:
        sys.excepthook(type(error), error, error.__traceback__)
        code = 130 if isinstance(error, KeyboardInterrupt) else 1
    with contextlib.suppress(BaseException):
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):
            stream.flush()
    return int(code or 0)


def run_here(command: Sequence[str]) -> Any:
    """Runs a command in this process; SystemExit where Python raises it."""
    name, *arguments = command
    if name == "mmoe":
        from mmoe.__main__ import main

        sys.argv = list(command)
        return main()
    sys.argv = [name, *arguments]
    runpy.run_module(name, run_name="__main__", alter_sys=True)
    return 0


def _watch(root: Path, log: int, at: At | None) -> None:
    """Writes down each change to the disk below `root`, and does at one of them what is wanted."""
    own, here, number = os.getpid(), f"{root}/", 0

    def hook(event: str, args: tuple[Any, ...]) -> None:
        nonlocal number
        if event not in CHANGES or os.getpid() != own:
            return
        path = _changed(event, args)
        if path is None or (path.startswith("/") and not path.startswith(here)):
            return
        number += 1
        os.write(log, f"{event} {path.removeprefix(here)}\n".encode("utf-8", "replace"))
        if at is None or at.seam is None:
            return
        if at.signal is None:
            if number >= at.seam and event not in ("os.remove", "os.rmdir", "os.rename"):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)
        elif number == at.seam:
            os.kill(own, at.signal)

    sys.addaudithook(hook)


def _changed(event: str, args: tuple[Any, ...]) -> str | None:
    """The path that an event of Python changes; None if it only reads or is none of ours."""
    path = args[1] if event in ("os.rename", "os.link", "os.symlink") else args[0]
    if event == "open":
        flags = args[2]
        if not isinstance(flags, int) or not flags & _WRITES or isinstance(path, int):
            return None
    try:
        text = os.fsdecode(path)
    except TypeError:
        return None
    return None if "__pycache__" in text else text
