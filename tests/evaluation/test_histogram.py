"""Buckets against counting one rank at a time."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mmoe.evaluation.histogram import BUCKETS, rank_histogram


def test_the_edges_lie_where_the_labels_say() -> None:
    rows = rank_histogram(np.array([1, 2, 3, 4, 5, 6, 10, 11, 100, 101, 17_805]))
    assert list(zip(rows["ranks"], rows["mentions"], strict=True)) == [
        *(("1", 1), ("2", 1), ("3", 1), ("4–5", 2), ("6–10", 2), ("11–100", 2), (">100", 2)),
    ]


@settings(deadline=None)  # a shared machine may stall
@given(st.lists(st.integers(1, 1000), max_size=40))
def test_every_mention_is_counted_once(ranks: list[int]) -> None:
    rows = rank_histogram(np.array(ranks, dtype=np.int64))
    first = 1.0
    for count, last in zip(rows["mentions"], BUCKETS.values(), strict=True):
        assert count == sum(first <= rank <= last for rank in ranks)
        first = last + 1
    assert abs(rows["share"].sum() - (100 if ranks else 0)) < 0.001
