"""Reading cached token features: raw bytes in Parquet against nested lists of numbers.

usage  python -m benchmarks.feature_store
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from mmoe.features.shards import OK, FeatureRow, PartColumns, shard_name, shard_table, write_shard
from mmoe.features.store import read_features

from benchmarks.measure import alternating_seconds, print_result

ROWS, TOKENS, WIDTH = 4096, 40, 384


def main() -> None:
    rng = np.random.default_rng(0)
    tokens = rng.standard_normal((ROWS, TOKENS, WIDTH), dtype=np.float32).astype(np.float16)
    rows = [FeatureRow(str(i), OK, tokens[i], tokens[i, 0], tokens[i, 1]) for i in range(ROWS)]
    columns = PartColumns("text", WIDTH, WIDTH)
    megabytes = tokens.nbytes / 1e6
    with tempfile.TemporaryDirectory() as name:
        folder, nested = Path(name) / "shards", Path(name) / "nested.parquet"

        def write_ours() -> None:
            write_shard(folder / shard_name(0), shard_table(rows, columns, {}))

        def write_nested() -> None:
            nested_rows = pa.FixedSizeListArray.from_arrays(
                pa.array(tokens.ravel()), TOKENS * WIDTH
            )
            pq.write_table(pa.table({"tokens": nested_rows}), nested, row_group_size=256)

        def read_nested() -> None:
            column = pq.read_table(nested)["tokens"].combine_chunks()
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
