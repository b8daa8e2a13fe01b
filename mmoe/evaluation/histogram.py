"""How many mentions have which rank, in buckets that widen as ranks get worse."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mmoe.evaluation.metrics import DECIMALS
from mmoe.evaluation.ranks import Ranks
from mmoe.files import atomic_write


class Bucket(NamedTuple):
    """The ranks from `first` to `last`; without a `last`, all that follow."""

    first: int
    last: int | None

    @property
    def label(self) -> str:
        if self.last is None:
            return f">{self.first - 1}"
        return str(self.first) if self.first == self.last else f"{self.first}–{self.last}"


BUCKETS = (
    Bucket(1, 1),
    Bucket(2, 2),
    Bucket(3, 3),
    Bucket(4, 5),
    Bucket(6, 10),
    Bucket(11, 100),
    Bucket(101, None),
)


def rank_histogram(ranks: Ranks) -> list[dict[str, str | int | float]]:
    """One row a bucket, best first, empty ones too: `ranks`, `mentions` and their `share` in percent."""
    return histogram_of(ranks.pessimistic)


def write_histogram(path: Path, ranks: Ranks) -> None:
    """Writes `rank_histogram` as CSV for `dvc plots`."""
    with atomic_write(path) as temporary, temporary.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, ["ranks", "mentions", "share"])
        writer.writeheader()
        writer.writerows(rank_histogram(ranks))


def histogram_of(ranks: NDArray[np.int64]) -> list[dict[str, str | int | float]]:
    """As `rank_histogram`, of bare ranks; without a mention there are no rows, as there are no shares."""
    if not len(ranks):
        return []
    counts = np.histogram(ranks, bins=[bucket.first for bucket in BUCKETS] + [np.inf])[0]
    return [
        {
            "ranks": bucket.label,
            "mentions": int(count),
            "share": round(100.0 * int(count) / len(ranks), DECIMALS),
        }
        for bucket, count in zip(BUCKETS, counts, strict=True)
    ]
