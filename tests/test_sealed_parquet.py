"""No byte of a sealed file can be changed in silence, and every other program reads it."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmoe.errors import DataError
from mmoe.records import Entity, read_records, write_records
from mmoe.sealed_parquet import check_seal, read_sealed, seal_of, write_sealed

TABLE = pa.table({"id": ["a", "b", "a"], "value": [1.5, 2.5, 3.5], "raw": [b"x" * 99] * 3})


@settings(max_examples=150, deadline=None)
@given(st.floats(0, 1, exclude_max=True), st.integers(1, 255))
def test_every_flip_is_refused(share: float, change: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.parquet"
        write_sealed(path, TABLE)
        content = bytearray(path.read_bytes())
        content[int(share * len(content))] ^= change
        path.write_bytes(bytes(content))
        with pytest.raises((ValueError, OSError)):  # Arrow's own errors are such
            read_sealed(path)


def test_it_is_an_ordinary_file_that_states_its_hash(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    write_sealed(path, TABLE)
    assert pq.read_table(path).equals(TABLE)
    assert read_sealed(path, ("value",)).column_names == ["value"]
    with pytest.raises(ValueError, match="no column more"):
        read_sealed(path, ["value", "more"])
    assert len(seal_of(path)) == 64
    before = path.read_bytes()
    write_sealed(path, read_sealed(path))  # a table that was read brings its file's seal
    assert path.read_bytes() == before


def test_a_file_without_a_checksum_is_of_another_version(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(TABLE, path)
    with pytest.raises(ValueError, match="no checksum of itself"):
        read_sealed(path)
    with path.open("rb") as file:
        check_seal(file, needed=False)


def test_a_column_with_checksums_of_its_own_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    write_sealed(path, TABLE, without=["raw"], compression="none", use_dictionary=False)
    content = bytearray(path.read_bytes())
    content[content.index(b"x" * 99)] ^= 1
    path.write_bytes(bytes(content))
    with path.open("rb") as file:
        check_seal(file, without=["raw"])
    content[content.index(b"PAR1") + 40] ^= 1
    path.write_bytes(bytes(content))
    with path.open("rb") as file, pytest.raises(ValueError, match="not those that were written"):
        check_seal(file, without=["raw"])


def test_records_know_of_which_records_they_were_made(tmp_path: Path) -> None:
    first, second = tmp_path / "first.parquet", tmp_path / "second.parquet"
    write_records(first, Entity, [Entity("Q1", "Ada", "", ())])
    write_records(second, Entity, [], made_of=[first])
    assert read_records(second, Entity, [first]) == []
    write_records(first, Entity, [Entity("Q1", "Ada", "", ()), Entity("Q2", "Ben", "", ())])
    with pytest.raises(DataError, match=r"second\.parquet: made of another first\.parquet .*again"):
        read_records(second, Entity, [first])
    assert read_records(second, Entity) == []  # whoever asks for nothing gets them
