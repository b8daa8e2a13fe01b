"""The metrics of a run, typed: the matcher, its rivals, the gains over them, and parts of the mentions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
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

AMONG = "among the candidates"
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
class Comparison:
    """The matcher beside its rivals, on the same mentions and the same entities.

    Attributes:
        system: the trained matcher.
        baselines: by name, in display order.
        strongest_baseline: the name with the highest MRR, None without baselines.
        gains: by baseline, MRR of the matcher less that of the baseline, paired.
    """

    system: SystemMetrics
    baselines: dict[str, SystemMetrics]
    strongest_baseline: str | None
    gains: dict[str, Estimate]

    @property
    def gain(self) -> Estimate | None:
        """The paired gain over the strongest baseline."""
        return None if self.strongest_baseline is None else self.gains[self.strongest_baseline]


@dataclass(frozen=True)
class Metrics(Comparison):
    """Everything that stage metrics finds; evaluation.json holds these fields.

    The comparison is over the whole knowledge base, on all evaluated mentions.

    Attributes:
        untrained: the same matcher before training, None if that was not ranked.
        gain_over_untrained: MRR of the matcher less that of the untrained one, paired.
        reranked: two-stage linking, by name in display order; empty where it is switched off.
        rival_of_reranked: the strongest baseline, over the knowledge base or over the candidates, as
            two-stage linking knows them too; None without baselines.
        gains_of_reranked: MRR of each less that of this rival, paired; empty without one.
        among_candidates: the same where only the retrieved candidates can be an answer, None without any.
        breakdowns: the matcher on parts of the mentions; empty parts are left out.
        breakdowns_of_reranked: the two-stage system that does best on validation on the same parts.
        num_left_out: test mentions without a gold entity in the knowledge base.
    """

    untrained: SystemMetrics | None
    gain_over_untrained: Estimate | None
    reranked: dict[str, SystemMetrics]
    rival_of_reranked: str | None
    gains_of_reranked: dict[str, Estimate]
    among_candidates: Comparison | None
    breakdowns: dict[str, SystemMetrics]
    breakdowns_of_reranked: dict[str, SystemMetrics]
    num_left_out: int

    @property
    def reranked_last(self) -> str | None:
        """The two-stage system that does best on validation, None without any."""
        return next(reversed(self.reranked), None)

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


@dataclass(frozen=True)
class RankedSystems:
    """Ranks of the same mentions, in one order, by the matcher and its rivals.

    Attributes:
        ranks: by the trained matcher.
        baselines: by name, in display order.
    """

    ranks: Ranks
    baselines: Mapping[str, Ranks]

    def compare(self, hits: Sequence[int], samples: int) -> Comparison:
        """The metrics of all systems.

        Args:
            hits: every n of Hits@n.
            samples: of the bootstrap.
        Raises:
            DataError: if there is no mention.
        """
        rivals = {
            name: system_metrics(found, hits, samples) for name, found in self.baselines.items()
        }
        return Comparison(
            system=system_metrics(self.ranks, hits, samples),
            baselines=rivals,
            strongest_baseline=max(rivals, key=lambda name: rivals[name].mrr.value, default=None),
            gains={
                name: paired_gain(self.ranks, found, samples)
                for name, found in self.baselines.items()
            },
        )


def run_metrics(
    whole: RankedSystems,
    among: RankedSystems | None,
    untrained: Ranks | None,
    reranked: Mapping[str, Ranks],
    parts: Mapping[str, NDArray[np.bool_]],
    *,
    hits: Sequence[int],
    samples: int,
    num_left_out: int = 0,
) -> Metrics:
    """All metrics of a run.

    Args:
        whole: over the whole knowledge base; `among`, over each mention's candidates.
        untrained, reranked: of the same mentions, in order; what does best on validation stands last.
        parts: bool [M] by name, which mentions belong to the part.
        hits, samples: see `RankedSystems.compare`.
        num_left_out: see `Metrics`.
    Raises:
        DataError: if there is no mention.
    """
    compared, ranks = whole.compare(hits, samples), whole.ranks

    def by_part(found: Ranks) -> dict[str, SystemMetrics]:
        shown = {name: rows for name, rows in parts.items() if rows.any()}
        return {name: system_metrics(found[rows], hits, samples) for name, rows in shown.items()}

    rivals = dict(whole.baselines)
    if among is not None:
        rivals |= {f"{name}, {AMONG}": found for name, found in among.baselines.items()}
    rival = max(
        rivals, key=lambda name: float(reciprocals(rivals[name].pessimistic).mean()), default=None
    )
    return Metrics(
        **{field.name: getattr(compared, field.name) for field in fields(compared)},
        untrained=None if untrained is None else system_metrics(untrained, hits, samples),
        gain_over_untrained=None if untrained is None else paired_gain(ranks, untrained, samples),
        reranked={name: system_metrics(found, hits, samples) for name, found in reranked.items()},
        rival_of_reranked=rival,
        gains_of_reranked={
            name: paired_gain(found, rivals[rival], samples)
            for name, found in reranked.items()
            if rival is not None
        },
        among_candidates=None if among is None else among.compare(hits, samples),
        breakdowns=by_part(ranks),
        breakdowns_of_reranked=by_part(list(reranked.values())[-1]) if reranked else {},
        num_left_out=num_left_out,
    )
