"""Rows of tokens are read from their shards as they were written, whichever are asked for."""

from __future__ import annotations

import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mmoe.errors import FeatureStoreError
from mmoe.features import shards, tokens
from mmoe.features.shards import OK, FeatureRow, shard_name
from mmoe.features.store import read_features
from mmoe.features.tokens import MemoryTokens, TokenRows, blocks
from mmoe.sealed_parquet import write_sealed

from tests.features.stores import bits, feature_rows, write_store


def joined(rows: list[FeatureRow], wanted: list[int]) -> bytes:
    """The tokens of some rows, one row after the other."""
    parts = [rows[i].tokens for i in wanted]
    return b"".join(part.tobytes() for part in parts if part is not None)


@settings(max_examples=60, deadline=None)
@given(feature_rows(), st.integers(1, 5), st.integers(1, 4), st.integers(2, 4), st.data())
def test_any_rows_in_any_order(
    rows: list[FeatureRow], shard_rows: int, group_rows: int, vectors: int, data: st.DataObject
) -> None:
    places = st.integers(0, max(0, len(rows) - 1))
    wanted = data.draw(st.lists(places, max_size=20 if rows else 0))
    everything = list(range(len(rows)))
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(shards, "ROW_GROUP_ROWS", group_rows)
        patch.setattr(tokens, "MOST_VECTORS", vectors)
        write_store(Path(folder), rows, shard_rows)
        stored = read_features(Path(folder)).tokens
        at = np.array(wanted, dtype=np.int64)
        found = stored.gather(at)
        assert found.shape == (stored.lengths_N[at].sum(), stored.width)
        assert found.numpy().tobytes() == joined(rows, wanted)
        for size in (1, 3, 100):
            parts = [part.numpy().tobytes() for part in blocks(stored, size)]
            assert b"".join(parts) == joined(rows, everything)
        every = stored.gather(np.arange(len(rows)))
    in_memory = MemoryTokens(every, stored.lengths_N).gather(at)
    assert in_memory.numpy().tobytes() == joined(rows, wanted)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.booleans()), min_size=1), st.data())
def test_some_rows_count_as_empty(rows: list[tuple[int, bool]], data: st.DataObject) -> None:
    at = np.array([place for place, _ in rows])
    has = np.array([each for _, each in rows])
    lengths = np.array([2, 0, 3, 1, 4])
    stored = MemoryTokens(torch.arange(10.0)[:, None].half(), lengths)
    some = TokenRows(stored, at, has)
    assert some.lengths_N.tolist() == np.where(has, lengths[at], 0).tolist()
    asked = np.array(data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=8)), dtype=np.int64)
    parts = torch.split(torch.arange(10), lengths.tolist())
    wanted = [value for row in asked if has[row] for value in parts[at[row]].tolist()]
    assert some.gather(asked)[:, 0].tolist() == wanted


def some_rows(number: int = 40) -> list[FeatureRow]:
    rng = np.random.default_rng(0)
    return [
        FeatureRow(f"q{i}", OK, bits(rng, 3, 3), bits(rng, 5), bits(rng, 5)) for i in range(number)
    ]


def test_threads_share_a_part(tmp_path: Path) -> None:
    rows = some_rows()
    write_store(tmp_path, rows, shard_rows=7)
    stored = read_features(tmp_path).tokens
    draws = np.random.default_rng(1).integers(len(rows), size=(64, 10))
    with ThreadPoolExecutor(4) as pool:
        found = [part.numpy().tobytes() for part in pool.map(stored.gather, draws)]
    assert found == [joined(rows, draw.tolist()) for draw in draws]


@pytest.mark.parametrize("how", ["replaced", "cut", "touched"])
def test_a_shard_that_changes_is_not_read_on(tmp_path: Path, how: str) -> None:
    write_store(tmp_path, some_rows(), shard_rows=20)
    stored = read_features(tmp_path).tokens
    second = tmp_path / shard_name(1)
    if how == "cut":
        os.truncate(second, 900)
    elif how == "touched":
        os.utime(second, ns=(1, 1))
    else:
        other = tmp_path / "other"
        other.write_bytes(second.read_bytes())
        other.replace(second)
    assert len(stored.gather(np.array([3]))) == 3
    with pytest.raises(FeatureStoreError, match=rf"^{second}: changed while it was read"):
        stored.gather(np.array([3, 25]))


@pytest.mark.parametrize(
    "written", [{"compression": "zstd"}, {"use_dictionary": True}, {"data_page_size": 1}]
)
def test_bytes_that_lie_elsewhere_are_refused(tmp_path: Path, written: dict[str, Any]) -> None:
    """As where another program wrote the file anew: compressed, with a dictionary, in small pages."""
    rows = some_rows()
    same = [
        FeatureRow(f"{i}", OK, rows[0].tokens, bits(np.random.default_rng(i), 5)) for i in range(9)
    ]
    write_store(tmp_path, same)
    path = tmp_path / shard_name(0)
    table = shards.open_shard(path).read()
    plain: dict[str, Any] = {"compression": "none", "use_dictionary": False, "write_batch_size": 1}
    write_sealed(path, table, without=["token_features"], **plain | written)
    with pytest.raises(FeatureStoreError, match="token_features doesn't lie as its counts say"):
        read_features(tmp_path)
