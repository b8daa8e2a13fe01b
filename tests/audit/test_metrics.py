"""Metrics of subsets are those of the subset alone."""

from __future__ import annotations

import numpy as np

from mmoe.audit.metrics import audited_metrics
from mmoe.evaluation.ranks import Ranks
from mmoe.evaluation.summary import system_metrics
from mmoe.records import Leak


def leak(name: str, *, context: bool = False, gold: bool = False, own: bool = False) -> Leak:
    return Leak(name, "test", context, False, False, gold, own, False)


RANKS = Ranks(np.array([1, 2, 4, 9]), np.array([1, 2, 3, 8]))


def test_subsets() -> None:
    leaks = [leak("a"), leak("b", context=True), leak("c", gold=True), leak("d", own=True)]
    metrics = audited_metrics(RANKS, leaks, (1, 5), 100)
    assert (metrics["clean_num_mentions"], metrics["unseen_gold_num_mentions"]) == (2, 3)
    clean = system_metrics(Ranks(np.array([1, 4]), np.array([1, 3])), (1, 5), 100)
    assert {f"clean_{name}": value for name, value in clean.items()}.items() <= metrics.items()
    assert metrics["clean_mrr"] == 62.5
    assert metrics["unseen_gold_hits_at_5"] == 66.6667


def test_an_empty_subset_has_a_number_and_no_metrics() -> None:
    metrics = audited_metrics(RANKS, [leak("x", context=True, gold=True)] * 4, (1,), 100)
    assert metrics == {"clean_num_mentions": 0, "unseen_gold_num_mentions": 0}
