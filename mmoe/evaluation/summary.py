"""One system's line in a table: metrics, intervals, and its gain over another system."""

from __future__ import annotations

from collections.abc import Sequence

from mmoe.evaluation.bootstrap import metric_intervals, paired_gain, part_of_gain
from mmoe.evaluation.metrics import metrics_from_ranks
from mmoe.evaluation.ranks import Ranks

RESAMPLING_SEED = 0  # every system is resampled with the same draws


def system_metrics(ranks: Ranks, hits_at: Sequence[int], samples: int) -> dict[str, float]:
    """Metrics and 95 % intervals under flat names: `mrr`, `mrr_low`, `mrr_high`, `hits_at_1` …"""
    intervals = metric_intervals(ranks, samples, RESAMPLING_SEED)
    bounds = {
        f"{name}_{end}": value
        for name, interval in intervals._asdict().items()
        for end, value in interval._asdict().items()
    }
    return {**metrics_from_ranks(ranks, hits_at), **bounds}


def gain_metrics(ranks: Ranks, baseline: Ranks, samples: int) -> dict[str, float]:
    """Gain in MRR over another system on the same mentions: `gain_mrr`, `gain_mrr_low`, `…_high`."""
    gain = paired_gain(ranks, baseline, samples, RESAMPLING_SEED)
    return {"gain_mrr": gain.mean, "gain_mrr_low": gain.low, "gain_mrr_high": gain.high}


def gap_metrics(ranks: Ranks, start: Ranks, best: Ranks, samples: int) -> dict[str, float | None]:
    """The part of the best system's gain over `start` that a system reaches: `gap_closed`, `…_low`, `…_high`.

    Nulls where the best system gains nothing.
    """
    part = part_of_gain(ranks, start, best, samples, RESAMPLING_SEED)
    values = (None, None, None) if part is None else part
    return dict(zip(("gap_closed", "gap_closed_low", "gap_closed_high"), values, strict=True))
