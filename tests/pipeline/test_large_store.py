"""Training and exact ranks hold little of their own, however large the feature store is."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.imports import ROOT


@pytest.mark.slow
def test_memory_does_not_grow_with_the_store(tmp_path: Path) -> None:
    """Some ten minutes. RLIMIT_DATA ends a stage that wants more than 6 GB of address space."""
    small, large = (rehearse(tmp_path / str(size), size) for size in (2000, 16000))
    assert large["features_gb"] > 7 * small["features_gb"]
    pooled_gb = (large["features_gb"] - small["features_gb"]) / 25  # held, at 3 of 128 kB a row
    assert large["memory_gb"]["train"] < 4
    for stage, grown in large["memory_gb"].items():
        assert grown - small["memory_gb"][stage] < 0.4 + 6 * pooled_gb, stage


def rehearse(folder: Path, entities: int) -> dict[str, Any]:
    done = subprocess.run(
        [
            *(sys.executable, "-P", "-m", "benchmarks.rehearsal", "--folder", str(folder)),
            *("--entities", str(entities), "--mentions", str(entities // 4)),
            *("--stages", "train,evaluate", "--limit-gb", "6"),
            *("--set", "train.max_epochs=1", "train.min_steps=0", "evaluate.untrained=false"),
        ],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        stdout=subprocess.PIPE,  # what a stage complains of is shown
        text=True,
        check=True,
    )
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures
