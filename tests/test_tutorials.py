"""The tutorials' commands, in a copy of the project: they succeed, and print what the pages say."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from tests.dvc.clone import copy_tracked, isolated_env
from tests.dvc.warm import warm_commands
from tests.imports import ROOT

pytestmark = pytest.mark.tutorial

TUTORIALS = ("tutorial-own-kb.md", "tutorial-wikidata.md")
BLOCK = re.compile(r"^(<!-- not run: .* -->\n)?```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FIGURES = re.compile(r"^([\w@ ]+): (-?[\d.]+) \(95 %: (-?[\d.]+) to (-?[\d.]+)\)$", re.MULTILINE)
INEXACT = re.compile(r"-?\d+\.\d+|\d+%")  # scores and probabilities, which differ between machines
POINTS = 3  # by which MRR, Hits@1 and gain may differ between machines
PORT = "8000"  # in the pages; here any that is free
STARTS = 60  # seconds that a server may take to start
# `mmoe` by way of the warm `python`
SHIM = """#!{python} -IS
import os, sys
code = f"from mmoe.cli import main; raise SystemExit(main({{sys.argv[1:]!r}}))"
os.execvp("python", ["python", "-c", code])
"""


@dataclass(frozen=True)
class Step:
    """A command of a page, and what the page says that it prints."""

    command: str
    printed: str


def steps(page: str) -> list[Step]:
    """All commands of a page that are run."""
    found = []
    for not_run, block in BLOCK.findall((ROOT / "docs" / page).read_text("utf-8")):
        for part in () if not_run else re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            lines = part.splitlines()
            last = next(i for i, line in enumerate(lines) if not line.endswith("\\"))
            command, printed = lines[: last + 1], lines[last + 1 :]
            found.append(Step("\n".join(command), "\n".join(printed)))
    return found


@dataclass
class Copy:
    """A copy of the project in which commands are run.

    Attributes:
        port: of the tutorial's server.
        servers: that run.
    """

    root: Path
    env: dict[str, str]
    port: str
    servers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def run(self, step: Step) -> str:
        """Runs a command that must succeed, or starts a server; returns what it prints."""
        command = step.command.replace(f":{PORT}", f":{self.port}")
        if command.startswith("mmoe serve "):
            return self._serve(command.replace(f"--port {PORT}", f"--port {self.port}"))
        if not command.startswith("curl "):
            self.stop()
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command],
            cwd=self.root,
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert done.returncode == 0, f"$ {step.command}\n{done.stdout}"
        return done.stdout

    def _serve(self, command: str) -> str:
        """Starts a server in a process of its own, which a signal reaches, and waits until it is ready."""
        words = command.split()[1:]
        log = self.root / "server.log"
        with log.open("wb") as stream:
            server = subprocess.Popen(
                [sys.executable, "-m", "mmoe", *words], cwd=self.root, env=self.env, stdout=stream
            )
        self.servers.append(server)
        for _ in range(STARTS * 10):
            assert server.poll() is None, command
            try:
                with urlopen(f"http://127.0.0.1:{self.port}/ready", timeout=5):
                    return log.read_text("utf-8").replace(f":{self.port}", f":{PORT}")
            except (URLError, TimeoutError):
                time.sleep(0.1)
        raise AssertionError(f"not ready within {STARTS} seconds: {command}")

    def stop(self) -> None:
        """Stops the servers as Ctrl-C does."""
        while self.servers:
            server = self.servers.pop()
            server.send_signal(signal.SIGINT)
            server.wait(timeout=STARTS)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Copy]:
    """What git tracks or would track, committed."""
    folder = tmp_path_factory.mktemp("tutorials")
    root, shims = folder / "project", folder / "shims"
    copy_tracked(root)
    shims.mkdir()
    (shims / "mmoe").write_text(SHIM.format(python=sys.executable))
    (shims / "mmoe").chmod(0o755)
    env = isolated_env(folder / "home") | {"PYTHONPATH": str(root)}
    with ExitStack() as stack:
        warm = stack.enter_context(warm_commands(env))
        path = os.pathsep.join([str(shims), str(warm), env["PATH"]])
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = str(free.getsockname()[1])
        found = Copy(root, env | {"PATH": path}, port)
        stack.callback(found.stop)
        for command in ("git init -q", "git add --all", "git commit -qm project"):
            found.run(Step(command, ""))
        yield found


@pytest.mark.parametrize("page", TUTORIALS)
def test_its_commands_print_what_the_page_says(page: str, copy: Copy) -> None:
    if any(step.command.startswith("mmoe serve ") for step in steps(page)):
        pytest.importorskip("fastapi")
    assert steps(page)
    for step in steps(page):
        compare(step, copy.run(step))


def compare(step: Step, printed: str) -> None:
    """Figures may differ by some points, digits of scores at will; what stands for … may be anything."""
    ours = {name: figures for name, *figures in FIGURES.findall(printed)}
    for name, *figures in FIGURES.findall(step.printed):
        assert name in ours, f"$ {step.command}\n{printed}"
        pairs = zip(map(float, figures), map(float, ours[name]), strict=True)
        assert all(abs(said - own) <= POINTS for said, own in pairs), f"{name}: {ours[name]}"
    said = INEXACT.sub("#", FIGURES.sub("…", step.printed))
    rest = INEXACT.sub("#", printed)
    for piece in filter(None, (piece.strip() for piece in said.split("…"))):
        before, there, rest = rest.partition(piece)
        assert there, f"$ {step.command}\n{piece}\nis not in\n{before}"


def test_a_comment_keeps_a_block_from_being_run() -> None:
    commands = [step.command for page in TUTORIALS for step in steps(page)]
    assert not any("pip install" in command or "MMOE_CONTACT" in command for command in commands)
