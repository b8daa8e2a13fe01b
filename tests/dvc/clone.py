"""A git and DVC project on the tiny data set, cut off from the machine's own settings."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.dvc.warm import warm_commands
from tests.imports import ROOT

NEEDED = (
    *(".dvc/config", ".dvc/.gitignore", ".dvc/plots/", ".dvcignore", ".gitignore"),
    *("dvc.yaml", "mmoe/", "pipeline/"),
    *("data/.gitignore", "data/raw/sample/clip/", "reports/published.yaml"),
)
_RUNNING = re.compile(r"^Running stage '([^']+)'", re.MULTILINE)


@dataclass(frozen=True)
class Clone:
    """The folder, and how commands see the world there."""

    root: Path
    env: dict[str, str]

    def call(self, *command: str) -> str:
        """Runs a command that must succeed; returns what it printed on both streams."""
        done = self.run(*command)
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}"
        return done.stdout

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Runs a command; both streams stand in `stdout`."""
        return subprocess.run(
            command,
            cwd=self.root,
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def dvc(self, *arguments: str) -> str:
        return self.call("dvc", *arguments)

    def json(self, *arguments: str) -> Any:
        """What a DVC command prints as JSON (on stdout alone)."""
        done = subprocess.run(
            ["dvc", *arguments, "--json"],
            cwd=self.root,
            env=self.env,
            capture_output=True,
            text=True,
            check=True,
        )
        return json.loads(done.stdout)

    def git(self, *arguments: str) -> str:
        return self.call("git", *arguments)

    def commit(self, message: str) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)

    def stale(self) -> set[str]:
        """Stages whose own code, data or knobs have changed, without the data set's name."""
        return {_short(stage) for stage in self.json("status")} - {"fingerprints"}

    def edit(self, path: str, old: str, new: str) -> None:
        text = (self.root / path).read_text("utf-8")
        assert text.count(old) == 1, f"{path}: {old!r} stands {text.count(old)} times"
        (self.root / path).write_text(text.replace(old, new), "utf-8")

    def other_fingerprints(self) -> set[str]:
        """The stages whose fingerprints differ now from those of the last run; these are put back."""
        files = sorted((self.root / "data/fingerprints").glob("*.json"))
        before = {file: file.read_bytes() for file in files}
        self.call("python", "-m", "pipeline.fingerprints")
        changed = {file.stem for file in files if file.read_bytes() != before[file]}
        for file, content in before.items():
            file.write_bytes(content)
        return changed

    def restore(self) -> None:
        """The last commit and its outputs; `dvc repro` has staged dvc.lock, so a checkout won't do."""
        self.git("reset", "--hard", "--quiet")
        self.dvc("checkout", "--quiet")


def ran(log: str) -> list[str]:
    """The stages that a run of DVC executed, in order, without the data set's name."""
    return [_short(stage) for stage in _RUNNING.findall(log)]


def _short(stage: str) -> str:
    return stage.replace("@tiny", "")


def isolated_env(home: Path) -> dict[str, str]:
    """An environment in which git and DVC read no settings but those in a new home folder."""
    home.mkdir(parents=True)
    (home / ".gitconfig").write_text(
        "[user]\n\tname = Tester\n\temail = tester@localhost\n[init]\n\tdefaultBranch = main\n"
    )
    return {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "HOME": str(home),
        "GIT_CONFIG_GLOBAL": str(home / ".gitconfig"),
        "GIT_CONFIG_NOSYSTEM": "1",
        "DVC_GLOBAL_CONFIG_DIR": str(home),
        "DVC_SYSTEM_CONFIG_DIR": str(home),
        "DVC_SITE_CACHE_DIR": str(home / "site"),
        "DVC_NO_ANALYTICS": "1",
        "HF_HUB_OFFLINE": "1",
        "OMP_NUM_THREADS": "1",
        "LC_ALL": "C.UTF-8",
        "COLUMNS": "400",
    }


def copy_tracked(root: Path, *paths: str) -> None:
    """Copies what git tracks or would track, all of it or what lies under some paths."""
    listed = subprocess.run(
        ["git", "ls-files", "-coz", "--exclude-standard", *paths],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, root / name)


@contextmanager
def make_clone(folder: Path, built: Path) -> Iterator[Clone]:
    """Copies what git tracks or would track, with the data set and parameters of `built`, and commits it.

    Its commands run until the context ends.
    """
    root, env = folder / "project", isolated_env(folder / "home")
    copy_tracked(root, *NEEDED)
    shutil.copy(built / "params.yaml", root)
    shutil.copytree(built / "data/raw/tiny", root / "data/raw/tiny")
    with warm_commands(env) as warm:
        clone = Clone(root, env | {"PATH": os.pathsep.join([str(warm), env["PATH"]])})
        clone.git("init", "--quiet")
        clone.git("add", "--force", "data/raw/tiny")  # as the sample is; other raw data stays out
        clone.commit("the project")
        yield clone
