"""Features come back from disk bit by bit; a store that is broken or of other settings is refused."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mmoe.errors import FeatureStoreError
from mmoe.features import shards, store
from mmoe.features.shards import (
    CHECKSUM,
    OK,
    FeatureRow,
    PartColumns,
    open_shard,
    shard_name,
    shard_table,
    write_shard,
)
from mmoe.features.store import FeatureTable, check_feature_config, read_features
from mmoe.sealed_parquet import write_sealed

from tests.features.stores import COLUMNS, bits, feature_rows, write_store


def same_bits(tensor: torch.Tensor, arrays: Sequence[np.ndarray | None]) -> bool:
    """Whether `tensor`'s rows are `arrays`, bit by bit; None stands for zeros."""
    width = tensor.shape[1]
    wanted = [np.zeros(width, np.float16) if array is None else array for array in arrays]
    rows = np.concatenate([np.reshape(a, (-1, width)) for a in wanted] or [np.empty((0, width))])
    return tensor.numpy().tobytes() == rows.astype(np.float16).tobytes()


def check_against(table: FeatureTable, rows: Sequence[FeatureRow]) -> None:
    """Holds a table against the rows that were written."""
    counts = [0 if row.tokens is None else len(row.tokens) for row in rows]
    assert table.ids == tuple(row.id for row in rows)
    assert table.tokens.lengths_N.tolist() == counts
    assert table.present.tolist() == [row.status == OK for row in rows]
    assert same_bits(
        table.tokens.gather(np.arange(len(rows))),
        [row.tokens for row in rows if row.tokens is not None],
    )
    assert same_bits(table.pooled_NP, [row.pooled for row in rows])
    assert table.name_pooled_NP is not None
    assert same_bits(table.name_pooled_NP, [row.name_pooled for row in rows])


@settings(max_examples=60, deadline=None)
@given(feature_rows(), st.integers(1, 5), st.integers(1, 4))
def test_features_come_back_bit_by_bit(
    rows: list[FeatureRow], shard_rows: int, group_rows: int
) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(shards, "ROW_GROUP_ROWS", group_rows)
        patch.setattr(store, "ROW_GROUP_ROWS", 3)
        write_store(Path(folder), rows, shard_rows)
        groups = pq.ParquetFile(Path(folder) / shard_name(0)).num_row_groups
        assert groups == -(-max(1, min(len(rows), shard_rows)) // group_rows)
        check_against(read_features(Path(folder)), rows)


@pytest.mark.parametrize(
    ("columns", "names"),
    [
        (COLUMNS, ["num_tokens", "token_features", "pooled", "name_pooled"]),
        (PartColumns("image", 3, 5), ["num_patches", "patch_features", "pooled"]),
        (replace(COLUMNS, dtype="int8"), ["num_tokens", "token_features", "pooled", "name_pooled"]),
    ],
)
def test_the_columns_say_what_they_hold(
    tmp_path: Path, columns: PartColumns, names: list[str]
) -> None:
    """Whoever reads the files without mmoe: names, type and width of every column."""
    write_store(tmp_path, some_rows(3), columns=columns)
    file = open_shard(tmp_path / shard_name(0))
    assert file.schema_arrow.names == [
        "id",
        "status",
        "content_key",
        names[0],
        CHECKSUM,
        *names[1:],
    ]
    for name, width in columns.widths.items():
        field = file.schema_arrow.field(name)
        assert str(field.type) == "large_binary"
        is_int8 = columns.dtype == "int8" and name == columns.tokens
        stored = b"<f2 scale, then i1" if is_int8 else b"<f2"
        assert field.metadata == {b"dtype": stored, b"width": str(width).encode()}
    rows = read_features(tmp_path)
    sizes: dict[str, object] = {"kind": columns.kind, "token_width": 3, "pooled_width": 5}
    if columns.dtype == "int8":
        sizes["dtype"] = "int8"
    assert rows.metadata == {"encoder": "test", "columns": sizes}
    assert (rows.token_width, rows.pooled_width) == (3, 5)
    assert (rows.name_pooled_NP is None) == (columns.kind == "image")


@pytest.mark.parametrize(("column", "value"), [("tokens", np.inf), ("name_pooled", np.nan)])
def test_a_value_that_is_not_finite_names_its_row(
    tmp_path: Path, column: str, value: float
) -> None:
    rows = [
        FeatureRow(id_, OK, np.ones((2, 3), "f2"), np.ones(5, "f2"), np.ones(5, "f2"))
        for id_ in ("good", "bad", "fine")
    ]
    getattr(rows[1], column)[-1] = value
    stored_as = column.replace("tokens", "token_features")
    with pytest.raises(FeatureStoreError, match=f"^{stored_as} of bad: "):
        write_shard(tmp_path / shard_name(0), shard_table(rows, COLUMNS, {}))
    assert not list(tmp_path.iterdir())


def test_a_folder_without_shards_says_what_to_run(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "missing"):
        with pytest.raises(FeatureStoreError, match=rf"^{folder}: .*dvc repro"):
            read_features(folder)


def some_rows(number: int = 40) -> list[FeatureRow]:
    rng = np.random.default_rng(0)
    return [
        FeatureRow(f"q{i}", OK, bits(rng, 3, 3), bits(rng, 5), bits(rng, 5)) for i in range(number)
    ]


@settings(max_examples=40, deadline=None)
@given(st.floats(0, 1, exclude_max=True))
def test_a_truncated_shard_is_named(share: float) -> None:
    with tempfile.TemporaryDirectory() as folder:
        write_store(Path(folder), some_rows(), shard_rows=20)
        second = Path(folder) / shard_name(1)
        whole = second.read_bytes()
        second.write_bytes(whole[: int(share * len(whole))])
        with pytest.raises(FeatureStoreError, match=rf"{second}: .*dvc repro"):
            read_features(Path(folder))


@settings(max_examples=60, deadline=None)
@given(st.floats(0, 0.9), st.integers(1, 400), st.booleans())
def test_a_shard_with_a_hole_is_no_traceback(share: float, size: int, filled: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        write_store(Path(folder), some_rows())
        path = Path(folder) / shard_name(0)
        whole = path.read_bytes()
        start = int(share * len(whole))
        path.write_bytes(whole[:start] + bytes(size if filled else 0) + whole[start + size :])
        with contextlib.suppress(FeatureStoreError):
            assert len(read_features(Path(folder))) == 40


@settings(max_examples=100, deadline=None)
@given(st.floats(0, 1, exclude_max=True), st.integers(1, 255))
def test_a_flipped_byte_is_refused_or_changes_nothing(share: float, change: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        write_store(Path(folder), some_rows())
        path = Path(folder) / shard_name(0)
        content = bytearray(path.read_bytes())
        content[int(share * len(content))] ^= change
        path.write_bytes(bytes(content))
        with contextlib.suppress(FeatureStoreError):
            table, rows = read_features(Path(folder)), some_rows()
            tokens = table.tokens.gather(np.arange(len(rows))).numpy()
            assert tokens.tobytes() == b"".join(
                r.tokens.tobytes() for r in rows if r.tokens is not None
            )
            pooled = b"".join(row.pooled.tobytes() for row in rows if row.pooled is not None)
            assert table.pooled_NP.numpy().tobytes() == pooled


def test_a_pooled_vector_that_is_not_finite_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = some_rows(3)
    assert rows[1].pooled is not None
    rows[1].pooled[2] = np.nan
    with monkeypatch.context() as lenient:
        lenient.setattr(np, "isfinite", np.ones_like)
        write_store(tmp_path, rows)
    with pytest.raises(FeatureStoreError, match="pooled of q1 is not finite"):
        read_features(tmp_path)


@pytest.mark.parametrize("stored", [None, {"mmoe.features": "1"}])
def test_a_shard_of_another_version_is_refused(
    tmp_path: Path, stored: dict[str, str] | None
) -> None:
    write_store(tmp_path, some_rows(3))
    path = tmp_path / shard_name(0)
    table = pq.read_table(path)
    write_sealed(path, table.replace_schema_metadata(stored))
    found = (stored or {}).get("mmoe.features", "none")
    with pytest.raises(
        FeatureStoreError, match=rf"{path}: feature format {found}, wanted 3: .*run dvc repro"
    ):
        read_features(tmp_path)


@pytest.mark.parametrize(
    ("columns", "metadata"),
    [(COLUMNS, {"encoder": "b"}), (PartColumns("text", 4, 5), {"encoder": "a"})],
)
def test_shards_of_different_settings_do_not_mix(
    tmp_path: Path, columns: PartColumns, metadata: dict[str, object]
) -> None:
    write_shard(tmp_path / shard_name(0), shard_table([], COLUMNS, {"encoder": "a"}))
    write_shard(tmp_path / shard_name(1), shard_table([], columns, metadata))
    with pytest.raises(FeatureStoreError, match=rf"{tmp_path / shard_name(1)}: .*other settings"):
        read_features(tmp_path)


def test_rows_are_found_by_id(tmp_path: Path) -> None:
    write_store(tmp_path, some_rows(5), shard_rows=2)
    table = read_features(tmp_path)
    assert table.rows_of(["q4", "q0", "q4"]).tolist() == [4, 0, 4]
    assert table.rows_of([]).dtype == np.int64
    with pytest.raises(FeatureStoreError, match=r"features of q9 are missing; run dvc repro"):
        table.rows_of(["q1", "q9"])


def test_features_of_other_settings_name_the_setting(tmp_path: Path) -> None:
    write_store(tmp_path, [], metadata={"encoder": "one", "max_text_length": 50})
    table = read_features(tmp_path)
    check_feature_config(
        table, tmp_path, {"encoder": "one", "max_text_length": 50, "not_stored": 3}
    )
    with pytest.raises(
        FeatureStoreError, match=rf"{tmp_path}: made with max_text_length = 50, .*40"
    ):
        check_feature_config(table, tmp_path, {"encoder": "one", "max_text_length": 40})
    with pytest.raises(
        FeatureStoreError, match=r"made with encoder = 'one', .*'two'; run dvc repro"
    ):
        check_feature_config(table, tmp_path, {"encoder": "two", "max_text_length": 40})
