"""A system's line holds metrics and intervals under stable names, and its gain over another."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmoe.errors import DataError
from mmoe.evaluation.metrics import metrics_from_ranks
from mmoe.evaluation.ranks import Ranks
from mmoe.evaluation.summary import gain_metrics, system_metrics


def ranks_of(values: list[int]) -> Ranks:
    pessimistic = np.array(values)
    return Ranks(pessimistic, np.maximum(1, pessimistic - 1))


RANKS = ranks_of([1, 2, 1, 10, 3, 1, 400])


def test_names_are_flat_and_stable() -> None:
    assert list(system_metrics(RANKS, [1, 3], 100)) == [
        "mrr",
        "hits_at_1",
        "hits_at_3",
        "mean_rank",
        "median_rank",
        "mrr_optimistic",
        "hits_at_1_optimistic",
        "hits_at_3_optimistic",
        "mean_rank_optimistic",
        "median_rank_optimistic",
        "mrr_low",
        "mrr_high",
        "hits_at_1_low",
        "hits_at_1_high",
    ]
    assert list(gain_metrics(RANKS, RANKS, 100)) == ["gain_mrr", "gain_mrr_low", "gain_mrr_high"]


def test_values_are_plain_numbers_that_json_takes() -> None:
    assert all(type(value) is float for value in system_metrics(RANKS, [1], 100).values())
    assert all(type(value) is float for value in gain_metrics(RANKS, RANKS, 100).values())


def test_metrics_are_those_of_the_ranks() -> None:
    found = system_metrics(RANKS, [1, 5], 100)
    wanted = metrics_from_ranks(RANKS, [1, 5])
    assert {name: found[name] for name in wanted} == wanted


@given(st.lists(st.integers(1, 50), min_size=2, max_size=20))
@settings(deadline=None, max_examples=25)
def test_intervals_hold_the_metric(values: list[int]) -> None:
    found = system_metrics(ranks_of(values), [1], 400)
    assert found["mrr_low"] <= found["mrr"] <= found["mrr_high"]
    assert found["hits_at_1_low"] <= found["hits_at_1"] <= found["hits_at_1_high"]


def test_the_same_ranks_give_the_same_line() -> None:
    assert system_metrics(RANKS, [1], 500) == system_metrics(RANKS, [1], 500)


def test_a_system_gains_nothing_over_itself() -> None:
    assert set(gain_metrics(RANKS, RANKS, 100).values()) == {0.0}


def test_a_gain_is_ours_less_theirs() -> None:
    better = ranks_of([1] * 30)
    worse = ranks_of([2] * 30)
    assert gain_metrics(better, worse, 100) == {
        "gain_mrr": 50.0,
        "gain_mrr_low": 50.0,
        "gain_mrr_high": 50.0,
    }
    assert gain_metrics(worse, better, 100)["gain_mrr_high"] == -50.0


def test_no_mention_is_one_clear_error() -> None:
    with pytest.raises(DataError, match="no mention to evaluate"):
        system_metrics(ranks_of([]), [1], 100)
    with pytest.raises(DataError, match="the same mentions on both sides, got 7 and 1"):
        gain_metrics(RANKS, ranks_of([1]), 100)
