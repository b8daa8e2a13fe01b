"""Disks that are full, or can't be written to: one line, nothing destroyed, and the next run completes."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.campaign.attack import Attack, Finding, Trial
from tests.campaign.bench import Bench, contents, must_end_well, must_equal
from tests.campaign.kills import LEFT, resumed
from tests.campaign.process import At, Done
from tests.campaign.targets import Target

TRIALS = 20
PAGE = 4096


def attacks(bench: Bench) -> Iterator[Attack]:
    for target in bench.targets:
        yield Attack("disk full at a change", target.name, TRIALS, FullAtSeam(bench, target).run)
        if os.geteuid() == 0:  # who may mount
            yield Attack("disk full", target.name, TRIALS, FullDisk(bench, target).run)
            yield Attack("disk read-only", target.name, 2, ReadOnly(bench, target).run)


@dataclass(frozen=True)
class FullAtSeam:
    """From a random change on, opening files for writing and making folders fails with ENOSPC."""

    bench: Bench
    target: Target

    def run(self, trial: Trial) -> None:
        state = trial.rng.choice(self.target.states)
        calm = self.bench.undisturbed(self.target, state)
        at = At(None, seam=trial.rng.randint(1, calm.seams + 1))
        root = self.bench.project(trial.folder, self.target, state)
        when = f"{state}, disk full before change {at.seam}"
        must_be_one_line(self.bench.run(self.target, root, at=at), when)
        again = resumed(self.bench, self.target, root, when)
        must_equal(root, calm.files, when, LEFT if again.code else None)


@dataclass(frozen=True)
class FullDisk:
    """The project lies on a small tmpfs with room for a random share of what the command writes."""

    bench: Bench
    target: Target

    def run(self, trial: Trial) -> None:
        state = trial.rng.choice(self.target.states)
        calm = self.bench.undisturbed(self.target, state)
        with mounted(trial.folder / "disk", "1g") as disk:
            root = self.bench.project(disk, self.target, state)
            (disk / "tmp").mkdir()
            room = int(trial.rng.random() * (calm.grows + 64 * PAGE))
            remount(disk, f"size={used(disk) + room}")
            when = f"{state}, {room} of {calm.grows} bytes free"
            done = self.bench.run(self.target, root, streams=trial.folder / "streams")
            remount(disk, "size=1g")
            must_be_one_line(done, when)
            again = self.bench.run(self.target, root, streams=trial.folder / "streams")
            codes = (0, 1) if self.target.may_refuse else (0,)
            must_end_well(again, f"{when}, then again", codes)
            must_equal(root, calm.files, when, LEFT if again.code else None)


@dataclass(frozen=True)
class ReadOnly:
    """The project can be read, and nothing written."""

    bench: Bench
    target: Target

    def run(self, trial: Trial) -> None:
        state = trial.rng.choice(self.target.states)
        with mounted(trial.folder / "disk", "1g") as disk:
            root = self.bench.project(disk, self.target, state)
            (disk / "tmp").mkdir()
            before = contents(root)
            remount(disk, "ro")
            done = self.bench.run(self.target, root, streams=trial.folder / "streams")
            must_be_one_line(done, f"{state}, read-only")
            must_equal(root, before, f"{state}, read-only")


def must_be_one_line(done: Done, when: str) -> None:
    """A command may end well all the same; if not, its last line and no other says what is wrong."""
    must_end_well(done, when, (0, 1))
    lines = [line for line in done.err.splitlines() if "error: " in line]
    if done.code and len(lines) != 1:
        raise Finding(f"{when}, {len(lines)} lines say what is wrong: {done.told}")


@contextmanager
def mounted(folder: Path, size: str) -> Iterator[Path]:
    """A disk of that size in memory."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def remount(folder: Path, option: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{option}", folder], check=True)


def used(folder: Path) -> int:
    """Bytes, by the disk's own account."""
    found = os.statvfs(folder)
    return (found.f_blocks - found.f_bfree) * found.f_frsize
