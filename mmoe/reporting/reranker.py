"""What the second look at a shortlist goes by: the heaviest features of each combiner."""

from __future__ import annotations

import pandas as pd

from mmoe.reporting.inputs import Reranker
from mmoe.reporting.table import Table
from mmoe.reporting.wording import MISSING, label, signed

SHOWN_FEATURES = 12
SMALL = 0.005  # it would be printed as zero


def weight_tables(reranker: Reranker) -> dict[str, Table]:
    """By reranked system: the weights of its heaviest features, in standard deviations."""
    return {label(name): _heaviest(weights) for name, weights in reranker.weights.items()}


def _heaviest(weights: dict[str, Reranker.Weight]) -> Table:
    names = sorted(weights, key=lambda name: -abs(weights[name].weight))[:SHOWN_FEATURES]
    rows = {
        label(name): {
            "Weight": signed(weights[name].weight),
            "Missing": MISSING
            if abs(weights[name].missing) < SMALL
            else signed(weights[name].missing),
        }
        for name in names
    }
    table = pd.DataFrame.from_dict(rows, orient="index")
    return Table(table.loc[:, (table != MISSING).any()])
