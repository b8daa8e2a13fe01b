"""Small pictures of entities."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from mmoe.linker.thumbnails import ROW_GROUP, SCHEMA, Thumbnails

NUM = 10 * ROW_GROUP


def test_threads_may_share_them(tmp_path: Path) -> None:
    """The server answers requests for pictures in threads."""
    rows = [{"qid": f"Q{i}", "jpeg": b"%d" % i * 4000} for i in range(NUM)]
    path = tmp_path / "shard-00000.parquet"
    pq.write_table(pa.Table.from_pylist(rows, SCHEMA), path, row_group_size=ROW_GROUP)
    pictures = Thumbnails(tmp_path)

    def jpeg(number: int) -> bytes:
        found = pictures.of(f"Q{number * 37 % NUM}")
        assert found is not None
        return found.jpeg

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(jpeg, range(2 * NUM)))
    assert found == [rows[i * 37 % NUM]["jpeg"] for i in range(2 * NUM)]
    assert pictures.of("Q-1") is None
