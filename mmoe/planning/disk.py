"""How often a feature lies on the disk, and how much of it is needed at once."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from mmoe.planning.steps import DONE, Step

FICLONE = 0x40049409  # Linux's request for a copy that shares its blocks (include/uapi/linux/fs.h)
DVCS_OWN = ("reflink", "copy")  # what DVC tries where cache.type says nothing


def feature_copies(root: Path) -> int:
    """How many times features lie in a project after `dvc repro`: in .mmoe, in data, and in DVC's cache.

    Stage encode links data to .mmoe. DVC copies data into its cache and puts a copy of that back, unless the
    file system shares the blocks of copies (reflink) or `dvc config cache.type` asks for links.
    """
    if not (root / ".dvc").is_dir():
        return 1
    types = _cache_types(root)
    for number, kind in enumerate(types):
        if kind == "reflink" and shares_blocks(root):
            return 1
        if kind == "hardlink":  # into the cache DVC links only what it would link first
            return 2 if number else 1
        if kind == "symlink":
            return 2
    return 3


def _cache_types(root: Path) -> tuple[str, ...]:
    command = [sys.executable, "-m", "dvc", "config", "cache.type"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)  # noqa: S603
    found = tuple(kind.strip() for kind in done.stdout.split(",") if kind.strip())
    return found if not done.returncode and found else DVCS_OWN


def shares_blocks(folder: Path) -> bool:
    """Whether copies of files in a folder can share their blocks; tried on Linux, false elsewhere."""
    if sys.platform != "linux":
        return False
    import fcntl

    with (
        tempfile.TemporaryFile(dir=folder) as source,
        tempfile.TemporaryFile(dir=folder) as target,
    ):
        source.write(b"block")
        source.flush()
        try:
            fcntl.ioctl(target.fileno(), FICLONE, source.fileno())
        except OSError:
            return False
    return True


def bytes_needed(plans: Sequence[Sequence[Step]], copies: int) -> int:
    """What all data sets need beside what is there, at most: while one is worked on and all others are done.

    Args:
        plans: the steps of each data set, in order.
        copies: of features.
    """
    ends, peaks = [], []
    for steps in plans:
        kept = most = 0
        for _, stage in groupby(steps, key=lambda step: step.stage):
            todo = [step for step in stage if step.state != DONE]
            kept += sum(step.kept_bytes * (copies if step.features else 1) for step in todo)
            most = max(most, kept + sum(step.passing_bytes for step in todo))
        ends.append(kept)
        peaks.append(most)
    return sum(ends) + max((p - e for p, e in zip(peaks, ends, strict=True)), default=0)
