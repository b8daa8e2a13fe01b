"""What the descriptions of each backend gain over none, system by system."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from mmoe.evaluation.estimates import paired_gain, part_of_gain
from mmoe.evaluation.metrics import system_metrics
from mmoe.evaluation.ranks import Ranks
from mmoe.evaluation.reading import ranks_in

NONE, ORACLE = "none", "oracle_candidate"
HITS_AT = (1,)
GAP = ("gap_closed", "gap_closed_low", "gap_closed_high")

Row = dict[str, float | None]


def gains(ranks: pd.DataFrame, samples: int) -> dict[str, dict[str, Row]]:
    """What each system ranks with the descriptions of each backend.

    Args:
        ranks: of description_ablation.parquet; every backend ranks the same mentions in one order.
        samples: of the bootstrap.
    Returns:
        By system and backend: metrics with intervals; where `none` is among the backends, also the gain
        over it (`gain_mrr`, paired), and where `oracle_candidate` is too, `gap_closed`: the part of its gain
        that the backend reaches, with its interval; None where that gains nothing.
    """
    return {
        str(system): _system(
            {str(name): ranks_in(own) for name, own in rows.groupby("backend", sort=False)}, samples
        )
        for system, rows in ranks.groupby("system", sort=False)
    }


def _system(found: Mapping[str, Ranks], samples: int) -> dict[str, Row]:
    table: dict[str, Row] = {}
    for name, own in found.items():
        row: Row = dict(system_metrics(own, HITS_AT, samples).flat())
        if NONE in found:
            row |= paired_gain(own, found[NONE], samples).flat("gain_mrr")
        if NONE in found and ORACLE in found:
            part = part_of_gain(own, found[NONE], found[ORACLE], samples)
            row |= dict.fromkeys(GAP) if part is None else part.flat("gap_closed")
        table[name] = row
    return table
