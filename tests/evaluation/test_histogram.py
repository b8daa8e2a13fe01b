"""Buckets against counting one rank at a time."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from mmoe.evaluation.histogram import BUCKETS, rank_histogram

from tests.evaluation.test_metrics import ranks_of


def test_the_edges_lie_where_the_labels_say() -> None:
    rows = rank_histogram(ranks_of([1, 2, 3, 4, 5, 6, 10, 11, 100, 101, 17_805]))
    assert [(row["ranks"], row["mentions"]) for row in rows] == [
        ("1", 1),
        ("2", 1),
        ("3", 1),
        ("4–5", 2),
        ("6–10", 2),
        ("11–100", 2),
        (">100", 2),
    ]


@settings(deadline=None)  # a shared machine may stall
@given(st.lists(st.integers(1, 1000), min_size=1, max_size=40))
def test_every_mention_is_counted_once(ranks: list[int]) -> None:
    rows = rank_histogram(ranks_of(ranks))
    for row, bucket in zip(rows, BUCKETS, strict=True):
        last = bucket.last or max(ranks)
        assert row["mentions"] == sum(bucket.first <= rank <= last for rank in ranks)
    assert abs(sum(float(row["share"]) for row in rows) - 100) < 0.001


def test_without_mentions_there_are_no_shares() -> None:
    assert rank_histogram(ranks_of([])) == []
