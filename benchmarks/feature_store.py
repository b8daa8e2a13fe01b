"""Reading cached token features: all in order, and random batches as training wants them.

usage  python -m benchmarks.feature_store

Made-up texts as long and wide as ViT-B/32's: 50 tokens of 512 numbers. The plain way is, for all in order, to
read the same bytes as they lie; for a batch, to read the row groups that hold its rows with pyarrow.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from mmoe.features.shards import (
    OK,
    ROW_GROUP_ROWS,
    FeatureRow,
    PartColumns,
    shard_name,
    shard_table,
    write_shard,
)
from mmoe.features.store import read_features
from mmoe.features.tokens import blocks

from benchmarks.measure import alternating_seconds, print_result

SHARDS, SHARD_ROWS, LENGTH, WIDTH = 8, 2048, 50, 512
BATCH = 128 + 1150  # mentions and entities of a step
COLUMNS = PartColumns("text", WIDTH, WIDTH)


def write(folder: Path) -> None:
    rng = np.random.default_rng(0)
    for number in range(SHARDS):
        values = rng.standard_normal((SHARD_ROWS, LENGTH, WIDTH), dtype=np.float32)
        rows = [
            FeatureRow(f"{number}-{i}", OK, each, each[0], each[1])
            for i, each in enumerate(values.astype(np.float16))
        ]
        write_shard(folder / shard_name(number), shard_table(rows, COLUMNS, {}))


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder)
        paths, stored = sorted(folder.iterdir()), read_features(folder).tokens
        megabytes = SHARDS * SHARD_ROWS * LENGTH * WIDTH * 2 / 1e6

        def in_order() -> None:
            for _ in blocks(stored, SHARD_ROWS * LENGTH):
                pass

        def as_they_lie() -> None:
            for path in paths:
                np.fromfile(path, dtype=np.uint8)

        ours, plain = alternating_seconds(in_order, as_they_lie, runs=5)
        print_result(
            *("feature_store.in_order", megabytes / ours, "MB/s", megabytes / plain),
            higher_is_better=True,
        )
        drawn = np.random.default_rng(1).integers(SHARDS * SHARD_ROWS, size=BATCH)
        groups, per_file = np.unique(drawn // ROW_GROUP_ROWS), SHARD_ROWS // ROW_GROUP_ROWS
        files = [pq.ParquetFile(path) for path in paths]

        def by_row_groups() -> None:
            for number, file in enumerate(files):
                own = groups[groups // per_file == number] % per_file
                file.read_row_groups(own.tolist(), [COLUMNS.tokens])

        ours, plain = alternating_seconds(lambda: stored.gather(drawn), by_row_groups, runs=5)
        print_result(
            *("feature_store.batch", 1000 * ours, "ms", 1000 * plain), higher_is_better=False
        )


if __name__ == "__main__":
    main()
