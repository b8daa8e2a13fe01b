"""Metrics against sums over single mentions; the figures that DVC tracks; the strongest baseline."""

from __future__ import annotations

import json
import statistics

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from mmoe.errors import DataError
from mmoe.evaluation.metrics import Metrics, RankedSystems, run_metrics, system_metrics

from tests.evaluation.cases import geometric_ranks, ranks_of

OURS, UNTRAINED = geometric_ranks(60, seed=1, right=0.8), geometric_ranks(60, seed=2, right=0.3)
BASELINES = {
    "weak": geometric_ranks(60, seed=3, right=0.2),
    "strong": geometric_ranks(60, seed=4, right=0.6),
    "middling": geometric_ranks(60, seed=5, right=0.4),
}
PARTS = {"few": np.arange(60) < 7, "nobody": np.zeros(60, bool)}


def found(baselines: bool = True) -> Metrics:
    rivals = BASELINES if baselines else {}
    whole, among = RankedSystems(OURS, rivals), RankedSystems(UNTRAINED, BASELINES)
    again = {"other": UNTRAINED, "reranked": BASELINES["weak"]}
    return run_metrics(
        whole, among, UNTRAINED, again, PARTS, hits=(10, 1), samples=100, num_left_out=3
    )


@settings(deadline=None)  # a shared machine may stall
@given(st.lists(st.integers(1, 100_000), min_size=1, max_size=60), st.integers(1, 20))
def test_metrics_equal_sums_over_mentions(ranks: list[int], n: int) -> None:
    metrics = system_metrics(ranks_of(ranks, [(rank + 1) // 2 for rank in ranks]), [n], 100).flat()
    oracle = {
        "num_mentions": len(ranks),
        "mrr": 100 * statistics.fmean(1 / rank for rank in ranks),
        f"hits_at_{n}": 100 * sum(rank <= n for rank in ranks) / len(ranks),
        "mean_rank": statistics.fmean(ranks),
        "median_rank": statistics.median(ranks),
        "mrr_optimistic": 100 * statistics.fmean(1 / ((rank + 1) // 2) for rank in ranks),
    }
    assert {name: metrics[name] for name in oracle} == pytest.approx(oracle, abs=1e-4)
    for name in ("mrr", f"hits_at_{n}"):
        assert metrics[f"{name}_low"] - 1e-3 <= metrics[name] <= metrics[f"{name}_high"] + 1e-3


def test_the_tracked_figures_are_few_and_name_the_gain_over_the_strongest_baseline() -> None:
    metrics = found()
    assert metrics.strongest_baseline == "strong"
    assert metrics.gain == metrics.gains["strong"]
    tracked = metrics.tracked()
    assert list(tracked) == [
        *("mrr", "mrr_low", "mrr_high", "hits_at_1", "hits_at_10"),
        *("gain_mrr", "gain_mrr_low", "gain_mrr_high", "num_mentions"),
    ]
    difference = metrics.system.mrr.value - metrics.baselines["strong"].mrr.value
    assert tracked["gain_mrr"] == pytest.approx(difference, abs=1e-3)
    assert not {"gain_mrr"} & found(baselines=False).tracked().keys()


def test_the_systems_are_compared_among_the_candidates_too() -> None:
    among = found().among_candidates
    assert among == RankedSystems(UNTRAINED, BASELINES).compare((10, 1), 100)
    assert among.strongest_baseline == "strong"
    assert among.gain is not None
    assert among.gain.value < 0


def test_parts_are_measured_alone_and_empty_ones_left_out() -> None:
    parts = found().breakdowns
    assert parts == {"few": system_metrics(OURS[PARTS["few"]], (1, 10), 100)}
    assert parts["few"].is_small
    again = found().breakdowns_of_reranked  # of the last
    assert again == {"few": system_metrics(BASELINES["weak"][PARTS["few"]], (1, 10), 100)}
    assert not found().system.is_small


def test_the_file_holds_everything() -> None:
    metrics = found()
    stored = json.loads(json.dumps(metrics.to_json()))
    assert TypeAdapter(Metrics).validate_python(stored) == metrics


def test_no_mention_is_an_error() -> None:
    with pytest.raises(DataError, match="no mention to evaluate"):
        system_metrics(ranks_of([]), [1], 100)


def test_two_stage_linking_is_held_against_the_strongest_baseline_that_knows_as_much() -> None:
    """Over the knowledge base or over the candidates, whichever is stronger."""
    weak = RankedSystems(OURS, {"weak": BASELINES["weak"]})
    strong = RankedSystems(OURS, {"strong": BASELINES["strong"]})
    for whole, among, rival in (
        (weak, strong, "strong, among the candidates"),
        (strong, weak, "strong"),
        (strong, None, "strong"),
        (RankedSystems(OURS, {}), None, None),
    ):
        metrics = run_metrics(whole, among, None, {"again": OURS}, {}, hits=(1,), samples=100)
        assert metrics.rival_of_reranked == rival
        wanted = {} if rival is None else {"again": strong.compare((1,), 100).gains["strong"]}
        assert metrics.gains_of_reranked == wanted
