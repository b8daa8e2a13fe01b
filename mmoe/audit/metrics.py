"""One system's metrics on the rows that no leak explains, beside those on all rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mmoe.evaluation.ranks import Ranks
from mmoe.evaluation.summary import system_metrics
from mmoe.records import Leak


def audited_metrics(
    ranks: Ranks, leaks: Sequence[Leak], hits_at: Sequence[int], samples: int
) -> dict[str, float]:
    """Metrics and intervals of two subsets, their names behind `clean_` and `unseen_gold_`.

    `clean`: neither text nor picture recurs in train, and no picture of the gold entity is the mention's
    own. `unseen_gold`: no training mention has the same gold entity. A subset without mentions has
    nothing but its `…_num_mentions`, 0.

    Args:
        leaks: one a mention, in the order of the ranks.
    """
    subsets = {
        "clean": [leak.is_clean for leak in leaks],
        "unseen_gold": [not leak.seen_gold for leak in leaks],
    }
    metrics: dict[str, float] = {}
    for name, marks in subsets.items():
        chosen = np.array(marks, dtype=np.bool_)
        metrics[f"{name}_num_mentions"] = int(chosen.sum())
        if chosen.any():
            subset = Ranks(ranks.pessimistic[chosen], ranks.optimistic[chosen])
            numbers = system_metrics(subset, hits_at, samples)
            metrics |= {f"{name}_{metric}": value for metric, value in numbers.items()}
    return metrics
