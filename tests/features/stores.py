"""Feature rows drawn by hypothesis, and small stores of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from mmoe.features.shards import (
    ABSENT,
    OK,
    UNREADABLE,
    FeatureRow,
    PartColumns,
    shard_name,
    shard_table,
    write_shard,
)

COLUMNS = PartColumns("text", 3, 5)


@st.composite
def feature_rows(draw: st.DrawFn, max_rows: int = 12) -> list[FeatureRow]:
    """Ragged rows; some hold nothing, some no token; every finite float16 bit pattern may occur."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    kinds = st.sampled_from([OK, OK, OK, ABSENT, UNREADABLE])
    return [
        FeatureRow(f"m{i}é", OK, bits(rng, count, 3), bits(rng, 5), bits(rng, 5))
        if (status := draw(kinds)) == OK
        else FeatureRow(f"m{i}é", status, None, None, None)
        for i, count in enumerate(draw(st.lists(st.integers(0, 7), max_size=max_rows)))
    ]


def bits(rng: np.random.Generator, *shape: int) -> NDArray[np.float16]:
    """Finite float16 of random bits: -0.0 and subnormal numbers among them."""
    raw = rng.integers(0, 2**16, shape, dtype=np.uint16)
    raw[(raw & 0x7C00) == 0x7C00] &= 0x83FF
    return raw.view(np.float16)


def write_store(
    folder: Path,
    rows: Sequence[FeatureRow],
    shard_rows: int = 1000,
    columns: PartColumns = COLUMNS,
    metadata: Mapping[str, object] = {"encoder": "test"},
) -> None:
    """Shards of at most `shard_rows` rows, an empty one if there are none."""
    for number, start in enumerate(range(0, max(1, len(rows)), shard_rows)):
        shard = rows[start : start + shard_rows]
        write_shard(folder / shard_name(number), shard_table(shard, columns, metadata))
