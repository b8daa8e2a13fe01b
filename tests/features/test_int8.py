"""Vectors of 8-bit integers: how near they come back, in how many bytes, from memory and from a store."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmoe.errors import FeatureStoreError
from mmoe.features.int8 import LARGEST, to_int8
from mmoe.features.shards import FeatureRow
from mmoe.features.store import check_feature_config, read_features
from mmoe.features.tokens import from_int8, through_int8

from tests.features.stores import COLUMNS, bits, feature_rows, write_store

INT8 = replace(COLUMNS, dtype="int8")


@given(st.integers(0, 6), st.integers(1, 9), st.integers(0, 2**32))
@settings(deadline=None)
def test_no_number_is_off_by_more_than_half_a_step(rows: int, width: int, seed: int) -> None:
    """Whatever the bits: subnormal numbers, the largest ones and vectors of zeros among them."""
    vectors = bits(np.random.default_rng(seed), rows, width)
    vectors[: rows // 3] = 0
    stored = to_int8(vectors)
    assert stored.shape == (rows, width + 2)
    found = from_int8(stored).numpy()
    assert found.dtype == np.float16
    exact = vectors.astype(np.float64)
    scale = stored[:, :2].copy().view("<f2").astype(np.float64)
    off = np.abs(found.astype(np.float64) - exact)
    # Half a step, and what float16 rounds a product by.
    assert (off <= scale / 2 + np.abs(exact) * 2.0**-10 + 2.0**-24).all()
    largest = np.abs(exact).max(axis=1, initial=0)
    assert (scale[:, 0] <= largest / LARGEST * (1 + 2.0**-9) + 2.0**-23).all()


@settings(max_examples=30, deadline=None)
@given(feature_rows(), st.integers(1, 5))
def test_a_store_gives_what_memory_gives(rows: list[FeatureRow], shard_rows: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        write_store(Path(folder), rows, shard_rows, INT8)
        table = read_features(Path(folder))
        found = table.tokens.gather(np.arange(len(rows)))
    wanted = [through_int8(row.tokens).tobytes() for row in rows if row.tokens is not None]
    assert found.numpy().tobytes() == b"".join(wanted)
    pooled = [row.pooled.tobytes() for row in rows if row.pooled is not None]
    assert table.pooled_NP[table.present].numpy().tobytes() == b"".join(
        pooled
    )  # these stay float16


@pytest.mark.parametrize(("stored", "wanted"), [("int8", "float16"), ("float16", "int8")])
def test_a_store_of_the_other_kind_is_refused(tmp_path: Path, stored: str, wanted: str) -> None:
    kept = {"dtype": "int8"} if stored == "int8" else {}
    write_store(tmp_path, [], columns=INT8 if kept else COLUMNS, metadata=kept)
    config = {"dtype": "int8"} if wanted == "int8" else {}
    with pytest.raises(FeatureStoreError, match=f"made with dtype = '{stored}', .*'{wanted}'"):
        check_feature_config(read_features(tmp_path), tmp_path, config)
