"""Metrics of subsets are those of the subset alone."""

from __future__ import annotations

import numpy as np

from mmoe.audit.metrics import part_metrics, parts_of
from mmoe.evaluation.ranks import Ranks
from mmoe.evaluation.summary import system_metrics
from mmoe.records import Leak, Mention


def leak(name: str, *, context: bool = False, gold: bool = False, own: bool = False) -> Leak:
    return Leak(name, "test", context, False, False, gold, own, False)


RANKS = Ranks(np.array([1, 2, 4, 9]), np.array([1, 2, 3, 8]))
LEAKS = [leak("a"), leak("b", context=True), leak("c", gold=True), leak("d", own=True)]
NEEDS = ("text", None, "image", "text")
MENTIONS = [
    Mention(row.mention_id, "s", "w", "c", None, "Q1", True, "test", None, label)
    for row, label in zip(LEAKS, NEEDS, strict=True)
]


def test_parts() -> None:
    assert parts_of(MENTIONS, LEAKS) == {
        "clean": [True, False, True, False],
        "unseen_gold": [True, True, False, True],
        "evidence_image": [False, False, True, False],
        "evidence_text": [True, False, False, True],
    }


def test_a_part_has_the_metrics_of_its_mentions_alone() -> None:
    metrics = part_metrics(RANKS, parts_of(MENTIONS, LEAKS), (1, 5), 100)
    assert (metrics["clean_num_mentions"], metrics["unseen_gold_num_mentions"]) == (2, 3)
    clean = system_metrics(Ranks(np.array([1, 4]), np.array([1, 3])), (1, 5), 100)
    assert {f"clean_{name}": value for name, value in clean.items()}.items() <= metrics.items()
    assert metrics["clean_mrr"] == 62.5
    assert metrics["unseen_gold_hits_at_5"] == 66.6667
    assert metrics["evidence_image_mrr"] == 25.0


def test_an_empty_part_has_a_number_and_no_metrics() -> None:
    assert part_metrics(RANKS, {"none": [False] * 4}, (1,), 100) == {"none_num_mentions": 0}
