"""A project in which every stage has run, copies of it for trials, and what a command leaves undisturbed."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mmoe.training.state import LAST

from tests.campaign.attack import Finding
from tests.campaign.inputs import IN, write_inputs
from tests.campaign.process import At, Done, Running, call, start
from tests.campaign.targets import Target, all_targets, stages
from tests.config.sheets import DEFAULTS
from tests.imports import ROOT
from tests.pipeline.tiny import SAMPLE, write_params, write_tiny

# So that a run of seconds has many places where it can be cut; no result depends on it.
RUNTIME = {"device": "cpu", "checkpoint_every": 1, "shard_rows": 8}
OF_SAMPLE: dict[str, dict[str, Any]] = {
    "model": DEFAULTS["model"],
    "train": DEFAULTS["train"],
    "runtime": RUNTIME | {"checkpoint_every": 5, "shard_rows": 64},
}
REAL = "richpediamel"  # 17,391 mentions; text alone, by the sample's encoder
OF_REAL: dict[str, dict[str, Any]] = {
    "model": {"units": ["text"]},
    "train": {"max_epochs": 1, "batch_size": 128},
    "retrieve": {"source": "none"},
    "runtime": RUNTIME | {"checkpoint_every": 20, "shard_rows": 1024},
}

_PIECE = re.compile(rf"os\.rename \.mmoe/.*/([0-9a-f]{{16}}\.parquet|{re.escape(LAST)})")


@dataclass(frozen=True)
class Undisturbed:
    """What a command does when it is left alone.

    Attributes:
        files: the hash of each file that is then there, but for .mmoe.
        seams: changes to the disk.
        grows: bytes.
        kept: changes that keep work for later runs.
    """

    files: Mapping[str, str]
    seams: int
    seconds: float
    grows: int
    kept: int


class Bench:
    """Gives projects to attack.

    Attributes:
        data: tiny, twenty mentions cut from the sample; sample; or richpediamel, of which MMOE_REAL_DATA has
            the files, and whose stages alone are attacked.
    """

    def __init__(self, folder: Path, data: str = "tiny", finished: Path | None = None) -> None:
        """Builds the project where that has not been done yet.

        Args:
            finished: in its place, one that a test has built; its stages alone are attacked.
        """
        self.data, self._folder = data, folder / data
        self.finished = finished or self._folder / "finished"
        if not self.finished.exists():
            shutil.rmtree(self._folder, ignore_errors=True)
            self._build(self._folder / "building")
            (self._folder / "building").rename(self.finished)
        has_inputs = (self.finished / IN).exists()
        self.targets = all_targets(data, self.finished) if has_inputs else stages(data)

    def _build(self, root: Path) -> None:
        root.mkdir(parents=True)
        if self.data == "sample":
            write_params(root / "params.yaml", **OF_SAMPLE)
            shutil.copytree(SAMPLE, root / "data/raw/sample")
        else:
            shutil.copytree(SAMPLE / "clip", root / "data/raw/sample/clip")
        if self.data == "tiny":
            write_params(root / "params.yaml", runtime=RUNTIME)
            write_tiny(root / "data/raw/tiny")
        elif self.data == REAL:
            write_params(root / "params.yaml", **OF_REAL)
            shutil.copytree(Path(os.environ["MMOE_REAL_DATA"]) / REAL, root / "data/raw" / REAL)
        (root / "reports").mkdir()
        shutil.copy(ROOT / "reports/published.yaml", root / "reports")
        for stage in stages(self.data):
            done = call(stage.command, root, self._folder / "streams")
            if done.code:
                raise Finding(f"{stage.name} does not run undisturbed: {done.told}")
        if self.data != REAL:
            write_inputs(root, self.data)

    def project(self, folder: Path, target: Target, state: str) -> Path:
        """A copy of the finished project in which the target is to run (again)."""
        root = folder / "project"
        subprocess.run(["cp", "-a", self.finished, root], check=True)
        if state != "again":
            for out in target.outs:
                _remove(root / out)
        if state == "first":
            shutil.rmtree(root / ".mmoe", ignore_errors=True)
        if target.tuned:
            params = root / "params.yaml"
            text = params.read_text("utf-8")
            params.write_text(text.replace("method: none", f"method: {target.tuned}"), "utf-8")
        return root

    def undisturbed(self, target: Target, state: str) -> Undisturbed:
        """Found out once, and kept beside the finished project."""
        file = self._folder / "undisturbed" / f"{target.name} {state}.json".replace(" ", "-")
        if file.exists():
            return Undisturbed(**json.loads(file.read_text("utf-8")))
        scratch = self._folder / "undisturbed" / "scratch"
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
        root = self.project(scratch, target, state)
        before = size_of(root)
        done = self.run(target, root)
        if done.code:
            raise Finding(f"does not run undisturbed ({state}): {done.told}")
        files, grows = contents(root), max(size_of(root) - before, 0)
        if target.deps and not target.tuned:  # a stage, which has run already
            must_equal(root, contents(self.finished), f"run once more, {state}")
        found = Undisturbed(files, len(done.seams), done.seconds, grows, kept_in(done))
        file.write_text(json.dumps(asdict(found)), "utf-8")
        shutil.rmtree(scratch)
        return found

    def run(
        self, target: Target, root: Path, at: At | None = None, streams: Path | None = None
    ) -> Done:
        """Runs the target in a project to its end."""
        return self.start(target, root, at, streams).end()

    def start(
        self, target: Target, root: Path, at: At | None = None, streams: Path | None = None
    ) -> Running:
        """Starts the target in a project."""
        (root.parent / "tmp").mkdir(exist_ok=True)
        return start(target.command, root, streams or root.parent / "streams", at, env=env_of(root))


def env_of(root: Path) -> dict[str, str]:
    """Caches and temporary files of a trial's own."""
    return {"TMPDIR": str(root.parent / "tmp"), "MMOE_CACHE": str(root.parent / "cache")}


def kept_in(done: Done) -> int:
    """How often a run has put a piece of work where a later one finds it: a shard, a checkpoint."""
    return sum(_PIECE.fullmatch(seam) is not None for seam in done.seams)


def contents(root: Path) -> dict[str, str]:
    """The hash of each file of a project, but for .mmoe; the names of temporary files stay as they are."""
    found = {}
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if path.is_file() and not name.startswith(".mmoe/"):
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def must_equal(root: Path, wanted: Mapping[str, str], when: str, spared: str | None = None) -> None:
    """Raises a Finding that names the files that differ from those of an undisturbed run.

    Args:
        spared: a pattern of files that may be left over.
    """
    there = {
        name: digest
        for name, digest in contents(root).items()
        if name in wanted or spared is None or not re.fullmatch(spared, name)
    }
    lost, more = wanted.keys() - there.keys(), there.keys() - wanted.keys()
    other = {name for name in wanted.keys() & there.keys() if wanted[name] != there[name]}
    for names, how in ((lost, "are lost"), (more, "are left over"), (other, "differ")):
        if names:
            raise Finding(f"{when}, files {how}: {', '.join(sorted(names)[:4])}")


def must_end_well(done: Done, when: str, codes: Sequence[int] = (0,)) -> None:
    """Raises a Finding unless a command ended with one of the codes, without a traceback."""
    # What Python says of the objects that it clears away at its end is no traceback of ours.
    err = re.sub(r"Exception ignored in:? .*\nTraceback", "", done.err)
    if done.code not in codes or "Traceback (most recent call last)" in err:
        raise Finding(f"{when}, exit code {done.code}: {done.told}")


def size_of(root: Path) -> int:
    return sum(path.lstat().st_size for path in root.rglob("*") if path.is_file())


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
