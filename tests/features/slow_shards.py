"""Encodes numbers slowly and logs every shard; run as a process, to be killed.

usage  python -m tests.features.slow_shards FOLDER NUM_ROWS SECONDS
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mmoe.features.runner import ShardPlan, run_shards
from mmoe.features.shards import OK, FeatureRow

SHARD_ROWS = 3
WIDTHS = {"states": 2, "pooled": 2}


def plan_in(folder: Path) -> ShardPlan:
    return ShardPlan(folder / "out", folder / "work", SHARD_ROWS, WIDTHS, {"input": "numbers"})


def encode_slowly(folder: Path, num_rows: int, seconds: float) -> int:
    """Encodes 0 … num_rows - 1; writes the first number of a shard to `log` as it starts."""

    def encode(chunk: Sequence[int]) -> list[FeatureRow]:
        with (folder / "log").open("a") as log:
            log.write(f"{chunk[0]}\n")
        time.sleep(seconds)
        return [
            FeatureRow(str(i), OK, np.full((i % 3, 2), i, "f2"), np.full(2, i, "f2")) for i in chunk
        ]

    return run_shards(range(num_rows), plan_in(folder), encode)


if __name__ == "__main__":
    encode_slowly(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))
