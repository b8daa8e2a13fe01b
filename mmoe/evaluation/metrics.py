"""The metrics of a run, typed: the matcher, its rivals, the gains over them, and parts of the mentions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmoe.evaluation.estimates import (
    DECIMALS,
    Estimate,
    hits_at,
    mean_reciprocal_rank,
    paired_gain,
    reciprocals,
)
from mmoe.evaluation.ranks import Ranks

FEW_MENTIONS = 50  # below this, a group's figures are marked in tables


@dataclass(frozen=True)
class SystemMetrics:
    """What papers print of one system on one group of mentions; ties count against it.

    Attributes:
        mrr: times 100, bootstrap interval.
        hits_at: percentages by n, Wilson's intervals.
        mrr_optimistic: MRR if all ties counted for the system.
    """

    num_mentions: int
    mrr: Estimate
    hits_at: dict[int, Estimate]
    mean_rank: float
    median_rank: float
    mrr_optimistic: float

    @property
    def is_small(self) -> bool:
        """Whether the group is so small that its interval says more than its figures."""
        return self.num_mentions < FEW_MENTIONS

    def flat(self) -> dict[str, float]:
        """As columns of a table: `num_mentions`, `mrr`, `mrr_low`, `mrr_high`, `hits_at_1` …"""
        numbers: dict[str, float] = {"num_mentions": self.num_mentions} | self.mrr.flat("mrr")
        for n, hits in self.hits_at.items():
            numbers |= hits.flat(f"hits_at_{n}")
        names = ("mean_rank", "median_rank", "mrr_optimistic")
        return numbers | {name: getattr(self, name) for name in names}


@dataclass(frozen=True)
class Metrics:
    """Everything that stage metrics finds; evaluation.json holds these fields.

    Attributes:
        system: the trained matcher on all evaluated mentions.
        untrained: the same matcher before training, None if that was not ranked.
        baselines: by name, in display order.
        strongest_baseline: the name with the highest MRR, None without baselines.
        gain_over_untrained, gains: MRR of the matcher less that of the other system, paired.
        breakdowns: the matcher on parts of the mentions; empty parts are left out.
        num_left_out: test mentions without a gold entity in the knowledge base.
    """

    system: SystemMetrics
    untrained: SystemMetrics | None
    baselines: dict[str, SystemMetrics]
    strongest_baseline: str | None
    gain_over_untrained: Estimate | None
    gains: dict[str, Estimate]
    breakdowns: dict[str, SystemMetrics]
    num_left_out: int

    @property
    def gain(self) -> Estimate | None:
        """The paired gain over the strongest baseline."""
        return None if self.strongest_baseline is None else self.gains[self.strongest_baseline]

    def tracked(self) -> dict[str, float]:
        """The few figures by which `dvc exp show` compares runs."""
        numbers = self.system.flat()
        names = ("mrr", "mrr_low", "mrr_high", "hits_at_1", "hits_at_10")
        gain = {} if self.gain is None else self.gain.flat("gain_mrr")
        few = {name: numbers[name] for name in names if name in numbers}
        return few | gain | {"num_mentions": self.system.num_mentions}

    def to_json(self) -> dict[str, Any]:
        """As nested dicts."""
        return asdict(self)


def system_metrics(
    ranks: Ranks, hits: Sequence[int] = (1, 3, 5, 10), samples: int = 2000
) -> SystemMetrics:
    """The metrics of one system.

    Args:
        ranks: of the gold entity of every mention, 1 is best.
        hits: every n of Hits@n.
        samples: of the bootstrap.
    Raises:
        DataError: if there is no mention.
    """
    worst = ranks.pessimistic
    return SystemMetrics(
        num_mentions=len(ranks),
        mrr=mean_reciprocal_rank(worst, samples),
        hits_at={n: hits_at(worst, n) for n in sorted(hits)},
        mean_rank=round(float(worst.mean()), DECIMALS),
        median_rank=float(np.median(worst)),
        mrr_optimistic=round(float(reciprocals(ranks.optimistic).mean()), DECIMALS),
    )


def run_metrics(
    ranks: Ranks,
    untrained: Ranks | None,
    baselines: Mapping[str, Ranks],
    parts: Mapping[str, NDArray[np.bool_]],
    *,
    hits: Sequence[int],
    samples: int,
    num_left_out: int = 0,
) -> Metrics:
    """All metrics of a run.

    Args:
        ranks: of the trained matcher; those of the other systems are of the same mentions, in order.
        parts: bool [M] by name, which mentions belong to the part.
        hits: every n of Hits@n.
        samples: of the bootstrap.
        num_left_out: see `Metrics`.
    Raises:
        DataError: if there is no mention.
    """

    def measured(found: Ranks) -> SystemMetrics:
        return system_metrics(found, hits, samples)

    rivals = {name: measured(found) for name, found in baselines.items()}
    return Metrics(
        system=measured(ranks),
        untrained=None if untrained is None else measured(untrained),
        baselines=rivals,
        strongest_baseline=max(rivals, key=lambda name: rivals[name].mrr.value, default=None),
        gain_over_untrained=None if untrained is None else paired_gain(ranks, untrained, samples),
        gains={name: paired_gain(ranks, found, samples) for name, found in baselines.items()},
        breakdowns={name: measured(ranks[rows]) for name, rows in parts.items() if rows.any()},
        num_left_out=num_left_out,
    )
