"""The final tables: all chunks sorted, without the items that stand in the dump twice.

DuckDB sorts more rows than fit into memory by spilling to the disk; pyarrow writes them, so that files and
row groups have the size that a reader wants.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path

import duckdb
import pyarrow as pa

from mmoe.sealed_parquet import sealed_writer
from mmoe.wikidata.database import database
from mmoe.wikidata.label_index import ITEM_SCHEMA, ITEMS, NAME_SCHEMA, NAMES, ROW_GROUP

MEMORY = "1GB"  # what DuckDB may take before it spills
GROUPS_PER_FILE = 256
SPILL = "spill"

_DUPLICATES = """
CREATE TEMP TABLE duplicates AS
SELECT qid, min(place) AS first, count(*) - 1 AS num_more
FROM read_parquet($items) GROUP BY qid HAVING count(*) > 1
"""

# Items come in the order of their numbers: a qid has no leading zero, so a longer one is larger.
_SORTED = """
SELECT {columns}
FROM read_parquet($rows) AS rows LEFT JOIN duplicates USING (qid)
WHERE first IS NULL OR place = first
ORDER BY {order}
"""
_ITEM_ORDER = "length(qid), qid"
_NAME_ORDER = "name, qid, kind, language"


def merge_chunks(chunks: Path, folder: Path, threads: int) -> tuple[int, int, int]:
    """Writes the tables of a label index; what stands in their folders is replaced.

    Args:
        chunks: the work folder; it also takes what DuckDB spills.
        folder: of the index.
    Returns:
        Rows of the items, rows of the names, and lines left out for an earlier one of the same item.
    Raises:
        WikidataError: if DuckDB fails, as for lack of room on the disk.
    """

    def problem(said: str) -> str:
        return (
            f"{chunks}: the finished chunks can't be sorted ({said}); make room on the disk and run the "
            "command again, or delete that folder to begin anew"
        )

    with database(problem, chunks / SPILL, MEMORY) as tables:
        tables.execute(f"SET threads = {threads}")
        tables.execute(_DUPLICATES, {"items": str(chunks / ITEMS / "*.parquet")})
        counted = tables.execute("SELECT coalesce(sum(num_more), 0)::BIGINT FROM duplicates")
        (duplicates,) = counted.fetchall()[0]
        items = _write_sorted(tables, chunks, folder, ITEMS, ITEM_SCHEMA, _ITEM_ORDER)
        names = _write_sorted(tables, chunks, folder, NAMES, NAME_SCHEMA, _NAME_ORDER)
    return items, names, duplicates


def _write_sorted(
    tables: duckdb.DuckDBPyConnection,
    chunks: Path,
    folder: Path,
    table: str,
    schema: pa.Schema,
    order: str,
) -> int:
    """Writes one table; returns its number of rows."""
    for stale in (folder / table).glob("*.parquet*"):  # what a killed run left half written, too
        stale.unlink()
    query = _SORTED.format(columns=", ".join(schema.names), order=order)
    rows = tables.sql(query, params={"rows": str(chunks / table / "*.parquet")})
    groups = _row_groups(rows.to_arrow_reader(ROW_GROUP), schema)
    num_rows = 0
    for number, first in enumerate(groups):
        path = folder / table / f"part-{number:05d}.parquet"
        with sealed_writer(path, schema, compression="zstd") as writer:
            for group in chain([first], islice(groups, GROUPS_PER_FILE - 1)):
                writer.write_table(group, row_group_size=ROW_GROUP)
                num_rows += group.num_rows
    return num_rows


def _row_groups(batches: pa.RecordBatchReader, schema: pa.Schema) -> Iterator[pa.Table]:
    """Tables of ROW_GROUP rows, the last of fewer; DuckDB's batches are of any size below."""
    waiting: list[pa.RecordBatch] = []
    for batch in batches:
        waiting.append(pa.RecordBatch.from_arrays(batch.columns, schema=schema))
        if sum(each.num_rows for each in waiting) >= ROW_GROUP:
            rows = pa.Table.from_batches(waiting)
            yield rows.slice(0, ROW_GROUP)
            waiting = rows.slice(ROW_GROUP).to_batches()
    if waiting:
        yield pa.Table.from_batches(waiting)
