"""Reading cached token features: raw bytes in Parquet against nested lists of numbers.

usage  python -m benchmarks.feature_store
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from mmoe.features.shards import OK, FeatureRow, shard_name, write_shard
from mmoe.features.store import read_features

from benchmarks.measure import alternating_seconds, print_result

ROWS, TOKENS, WIDTH = 4096, 40, 384


def main() -> None:
    rng = np.random.default_rng(0)
    states = rng.standard_normal((ROWS, TOKENS, WIDTH), dtype=np.float32).astype(np.float16)
    rows = [FeatureRow(str(i), OK, states[i], states[i, 0], states[i, 1]) for i in range(ROWS)]
    widths = {"states": WIDTH, "pooled": WIDTH, "name_pooled": WIDTH}
    megabytes = states.nbytes / 1e6
    with tempfile.TemporaryDirectory() as name:
        folder, nested = Path(name) / "shards", Path(name) / "nested.parquet"

        def write_ours() -> None:
            write_shard(folder / shard_name(0), rows, widths, {})

        def write_nested() -> None:
            tokens = pa.FixedSizeListArray.from_arrays(pa.array(states.ravel()), TOKENS * WIDTH)
            pq.write_table(pa.table({"states": tokens}), nested, row_group_size=256)

        def read_nested() -> None:
            column = pq.read_table(nested)["states"].combine_chunks()
            np.asarray(column.flatten()).reshape(ROWS, TOKENS, WIDTH)

        ours, plain = alternating_seconds(write_ours, write_nested, runs=3)
        print_result(
            "feature_store.write",
            megabytes / ours,
            "MB/s",
            megabytes / plain,
            higher_is_better=True,
        )
        ours, plain = alternating_seconds(lambda: read_features(folder), read_nested, runs=3)
        print_result(
            "feature_store.read", megabytes / ours, "MB/s", megabytes / plain, higher_is_better=True
        )


if __name__ == "__main__":
    main()
