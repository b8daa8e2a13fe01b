"""The commands `dvc` and `python`, their libraries loaded already: processes forked from one that waits.

Loading DVC takes a second, loading torch two, and the tests of DVC start some fifty processes. A command is
still a process of its own, with its own folder, environment, streams and exit code; only libraries of others
are loaded beforehand, never this project's code. All commands of a server share its seed of hashes.

usage  python -I warm.py serve SOCKET                waits for commands until its standard input ends
       python -I -S warm.py ask SOCKET COMMAND ...   has one run, and ends as it does
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import runpy
import select
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

KILLED = 128 + signal.SIGKILL  # a shell's exit code
LIBRARIES = (
    *("dvc.cli", "dvc.cli.parser", "dvc.repo", "dvc.repo.experiments.queue.tempdir"),
    *("torch", "transformers", "transformers.modeling_utils", "safetensors.torch", "tokenizers"),
    *("pandas", "pyarrow.parquet", "scipy.stats", "sklearn.linear_model", "duckdb"),
    *("altair", "vl_convert", "jinja2", "pydantic", "ruamel.yaml", "typer", "tqdm", "PIL.Image"),
)


@contextlib.contextmanager
def warm_commands(env: dict[str, str]) -> Iterator[Path]:
    """A folder for the front of PATH, in which `dvc` and `python` are warm."""
    with tempfile.TemporaryDirectory(prefix="warm") as name:  # a socket's path must be short
        folder = Path(name)
        for command in ("dvc", "python"):
            ask = [sys.executable, "-I", "-S", __file__, "ask", str(folder / "socket"), command]
            (folder / command).write_text(f'#!/bin/sh\nexec {shlex.join(ask)} "$@"\n')
            (folder / command).chmod(0o755)
        with subprocess.Popen(
            [sys.executable, "-I", __file__, "serve", str(folder / "socket")],
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as server:
            assert server.stdout is not None
            assert server.stdout.readline() == b"ready\n"
            yield folder  # then its standard input ends, and so does the server


def ask(path: str, command: list[str]) -> int:
    """Has the server run a command on this process's streams; returns the exit code."""
    with socket.socket(socket.AF_UNIX) as server:
        server.connect(path)
        socket.send_fds(server, [b"."], [0, 1, 2])
        server.sendall(json.dumps([command, str(Path.cwd()), dict(os.environ)]).encode())
        server.shutdown(socket.SHUT_WR)
        return int(server.recv(16) or KILLED)


def serve(path: str) -> None:
    """Loads the libraries, then forks for every command that is asked for."""
    for library in LIBRARIES:
        importlib.import_module(library)
    gc.freeze()  # what is never looked at stays shared
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        print("ready", flush=True)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the processes of commands
        while sys.stdin not in select.select([listener, sys.stdin], [], [])[0]:
            connection, _ = listener.accept()
            if os.fork() == 0:
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                listener.close()
                answer(connection)
                os._exit(0)
            connection.close()
    os._exit(0)


def answer(connection: socket.socket) -> None:
    """Runs the command that is asked for, on the streams that come with it, and sends its exit code."""
    _, streams, _, _ = socket.recv_fds(connection, 1, 3)
    with connection.makefile(encoding="utf-8") as request:
        command, folder, environment = json.load(request)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    connection.sendall(str(exit_code(command)).encode())


def exit_code(command: list[str]) -> int:
    """Runs a command to its end, without the second that Python takes to clear away all that is loaded."""
    try:
        code = run(command)
    except SystemExit as ended:
        code = ended.code
        if isinstance(code, str):
            print(code, file=sys.stderr)
            code = 1
    except BaseException:
        traceback.print_exc()
        code = 1
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    return int(code or 0)


def run(command: list[str]) -> Any:
    """`dvc …`, `python -m module …` or `python -c code` in this process."""
    match command:
        case ["dvc", *_]:
            sys.argv = command
            return int(importlib.import_module("dvc.cli").main())
        case ["python", "-m", module, *arguments]:
            sys.path.insert(0, str(Path.cwd()))
            sys.argv = [module, *arguments]
            runpy.run_module(module, run_name="__main__", alter_sys=True)
        case ["python", "-c", code]:
            sys.path.insert(0, "")
            sys.argv = ["-c"]
            exec(code, {"__name__": "__main__"})  # noqa: S102
        case _:
            raise ValueError(f"not warm: {shlex.join(command)}")
    return None


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["serve", path]:
            serve(path)
        case ["ask", path, *command]:
            sys.exit(ask(path, command))
