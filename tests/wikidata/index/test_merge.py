"""The final tables: sorted over all files, so that a name is found in few row groups."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mmoe.errors import WikidataError
from mmoe.wikidata.index import merge
from mmoe.wikidata.index.extract import PLACED_ITEMS, PLACED_NAMES
from mmoe.wikidata.index.merge import merge_chunks
from mmoe.wikidata.label_index import ITEM_SCHEMA, ITEMS, NAME_SCHEMA, NAMES, ROW_GROUP

from tests.wikidata.index.dumps import table

NUMBER = 2 * ROW_GROUP + 100  # items, of which the last 50 stand twice
REPEATED = 50


def write_chunks(folder: Path) -> None:
    """Chunks as an extraction leaves them: five parts of the items each, in no order."""
    for chunk in range(5):
        numbers = [*range(chunk, NUMBER, 5)]
        if chunk == 4:
            numbers += range(NUMBER - REPEATED, NUMBER)
        numbers = numbers[::-1]
        qids = [f"Q{n + 1}" for n in numbers]
        places = [chunk * NUMBER * 2 + row for row in range(len(numbers))]
        lists = pa.array([[]] * len(qids), pa.list_(pa.string()))
        texts = pa.array([f"name {n * 7919 % NUMBER:06d}" for n in numbers], pa.string())
        nulls = pa.nulls(len(qids), pa.string())
        items = [qids, texts, nulls, lists, lists, nulls, pa.nulls(len(qids), pa.int64()), nulls]
        write(folder / ITEMS, chunk, [*items, places], PLACED_ITEMS)
        kinds, codes = ["label"] * len(qids), ["en"] * len(qids)
        write(folder / NAMES, chunk, [texts, qids, kinds, codes, places], PLACED_NAMES)


def write(folder: Path, chunk: int, columns: list[object], schema: pa.Schema) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
    pq.write_table(pa.Table.from_arrays(arrays, schema=schema), folder / f"{chunk}.parquet")


def test_the_tables_are_sorted_over_all_files_and_hold_each_item_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_chunks(tmp_path / "work")
    monkeypatch.setattr(merge, "GROUPS_PER_FILE", 2)
    out = tmp_path / "out"
    assert merge_chunks(tmp_path / "work", out, threads=1) == (NUMBER, NUMBER, REPEATED)
    qids = table(out, ITEMS).column("qid").to_pylist()
    assert qids == [f"Q{n + 1}" for n in range(NUMBER)]
    names = table(out, NAMES).column("name").to_pylist()
    assert names == [f"name {n:06d}" for n in range(NUMBER)]
    for name, schema in ((ITEMS, ITEM_SCHEMA), (NAMES, NAME_SCHEMA)):
        files = [pq.ParquetFile(path) for path in sorted((out / name).iterdir())]
        groups = [
            [file.metadata.row_group(n).num_rows for n in range(file.num_row_groups)]
            for file in files
        ]
        assert groups == [[ROW_GROUP, ROW_GROUP], [100]]
        assert all(file.schema_arrow == schema for file in files)


def test_rows_that_can_not_be_sorted_are_named(tmp_path: Path) -> None:
    for name in (ITEMS, NAMES):
        (tmp_path / name).mkdir()
        (tmp_path / name / "0.parquet").write_bytes(b"PAR1")
    with pytest.raises(WikidataError, match="the finished chunks can't be sorted"):
        merge_chunks(tmp_path, tmp_path / "out", threads=1)
