"""Encodes numbers slowly and logs every shard; run as a process, to be killed.

usage  python -m tests.features.slow_part FOLDER NUM_ROWS SECONDS
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mmoe.features.part import Part, write_part
from mmoe.features.shards import OK, FeatureRow, PartColumns

SHARD_ROWS = 3
COLUMNS = PartColumns("image", 2, 2)


@dataclass(frozen=True)
class Number:
    """What is encoded; `id` does not show in the features."""

    value: int
    id: str = ""


def numbers(count: int, start: int = 0) -> list[Number]:
    return [Number(i, f"n{i}") for i in range(start, start + count)]


def part_in(folder: Path, shard_rows: int = SHARD_ROWS) -> Part:
    return Part(folder / "out", folder / "work", shard_rows, COLUMNS, {"input": "numbers"})


def key_of(number: Number) -> str:
    return str(number.value)


def features_of(rows: Sequence[Number]) -> list[FeatureRow]:
    """Number i has i mod 3 patches, all of them i."""
    return [
        FeatureRow(r.id, OK, np.full((r.value % 3, 2), r.value, "f2"), np.full(2, r.value, "f2"))
        for r in rows
    ]


def encode_slowly(
    folder: Path, rows: Sequence[Number], seconds: float = 0, shard_rows: int = SHARD_ROWS
) -> int:
    """Encodes numbers; writes those of a shard to `log` as it starts."""

    def encode(new: Sequence[Number]) -> list[FeatureRow]:
        with (folder / "log").open("a") as log:
            log.write(" ".join(str(row.value) for row in new) + "\n")
        time.sleep(seconds)
        return features_of(new)

    return write_part(rows, part_in(folder, shard_rows), key_of, encode)


if __name__ == "__main__":
    encode_slowly(Path(sys.argv[1]), numbers(int(sys.argv[2])), float(sys.argv[3]))
