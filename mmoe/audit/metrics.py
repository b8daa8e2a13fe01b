"""One system's metrics on parts of the mentions, beside those on all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from mmoe.evaluation.ranks import Ranks
from mmoe.evaluation.summary import system_metrics
from mmoe.records import Leak, Mention


def parts_of(mentions: Sequence[Mention], leaks: Sequence[Leak]) -> dict[str, list[bool]]:
    """Which mentions belong to which part.

    `clean`: neither text nor image recurs in train, and no image of the gold entity is the mention's
    own. `unseen_gold`: no training mention has the same gold entity. `evidence_<label>`: those
    with the label.

    Args:
        leaks: one a mention, in the same order.
    """
    labels = sorted({mention.evidence for mention in mentions if mention.evidence is not None})
    return {
        "clean": [leak.is_clean for leak in leaks],
        "unseen_gold": [not leak.seen_gold for leak in leaks],
    } | {
        f"evidence_{label}": [mention.evidence == label for mention in mentions] for label in labels
    }


def part_metrics(
    ranks: Ranks, parts: Mapping[str, Sequence[bool]], hits_at: Sequence[int], samples: int
) -> dict[str, float]:
    """Metrics and intervals of each part, their names behind `<part>_`.

    A part without mentions has nothing but its `<part>_num_mentions`, 0.
    """
    metrics: dict[str, float] = {}
    for name, marks in parts.items():
        chosen = np.array(marks, dtype=np.bool_)
        metrics[f"{name}_num_mentions"] = int(chosen.sum())
        if chosen.any():
            part = Ranks(ranks.pessimistic[chosen], ranks.optimistic[chosen])
            numbers = system_metrics(part, hits_at, samples)
            metrics |= {f"{name}_{metric}": value for metric, value in numbers.items()}
    return metrics
