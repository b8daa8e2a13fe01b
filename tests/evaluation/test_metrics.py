"""Metrics against sums over single mentions, and the names that other files rely on."""

from __future__ import annotations

import statistics

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmoe.errors import DataError
from mmoe.evaluation.metrics import metrics_from_ranks
from mmoe.evaluation.ranks import Ranks


def ranks_of(pessimistic: list[int], optimistic: list[int] | None = None) -> Ranks:
    """Ranks from plain lists; without ties both kinds are the same."""
    return Ranks(
        pessimistic=np.array(pessimistic, dtype=np.int64),
        optimistic=np.array(pessimistic if optimistic is None else optimistic, dtype=np.int64),
    )


def test_names_and_values() -> None:
    metrics = metrics_from_ranks(ranks_of([1, 2, 4, 40], [1, 1, 4, 20]), hits_at=[1, 3, 10])
    assert metrics == {
        "mrr": 44.375,
        "hits_at_1": 25.0,
        "hits_at_3": 50.0,
        "hits_at_10": 75.0,
        "mean_rank": 11.75,
        "median_rank": 3.0,
        "mrr_optimistic": 57.5,
        "hits_at_1_optimistic": 50.0,
        "hits_at_3_optimistic": 50.0,
        "hits_at_10_optimistic": 75.0,
        "mean_rank_optimistic": 6.5,
        "median_rank_optimistic": 2.5,
    }


@settings(deadline=None)  # a shared machine may stall
@given(st.lists(st.integers(1, 100_000), min_size=1, max_size=60), st.integers(1, 20))
def test_metrics_equal_sums_over_mentions(ranks: list[int], n: int) -> None:
    metrics = metrics_from_ranks(ranks_of(ranks), hits_at=[n])
    oracle = {
        "mrr": 100 * statistics.fmean(1 / rank for rank in ranks),
        f"hits_at_{n}": 100 * sum(rank <= n for rank in ranks) / len(ranks),
        "mean_rank": statistics.fmean(ranks),
        "median_rank": statistics.median(ranks),
    }
    assert {name: metrics[name] for name in oracle} == pytest.approx(oracle, abs=1e-4)


def test_values_are_rounded_to_four_decimals() -> None:
    assert metrics_from_ranks(ranks_of([3]), hits_at=[1])["mrr"] == 33.3333


def test_no_mention_is_an_error() -> None:
    with pytest.raises(DataError, match="no mention to evaluate"):
        metrics_from_ranks(ranks_of([]), hits_at=[1])
