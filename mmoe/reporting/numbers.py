"""The numbers behind the charts, as tables that a reader can open below each of them."""

from __future__ import annotations

import pandas as pd

from mmoe.reporting.inputs import History
from mmoe.reporting.table import Table
from mmoe.reporting.wording import MISSING, label, metric, plain


def rank_numbers(histograms: dict[str, pd.DataFrame]) -> Table:
    """Mentions and their share in each bucket of ranks, one pair of columns a system."""
    columns: dict[str, pd.Series[str]] = {}
    for name, buckets in histograms.items():
        by_rank = buckets.set_index("ranks")
        columns[name] = by_rank["mentions"].map(plain)
        columns[f"{name}, %"] = _fixed(by_rank["share"], 2)
    return Table(pd.DataFrame(columns))


def training_numbers(history: History) -> dict[str, Table]:
    """Loss and validation MRR by epoch, and the load of the experts by unit; needs an epoch."""
    epochs = [epoch.epoch for epoch in history.epochs]
    losses = pd.DataFrame([epoch.loss for epoch in history.epochs], index=epochs)
    losses = losses.apply(lambda column: _fixed(column, 4)).rename(columns=label)
    mrr = pd.Series([epoch.valid_mrr for epoch in history.epochs], index=epochs, dtype=float)
    if history.untrained_valid_mrr is not None:
        mrr = pd.concat([pd.Series({0: history.untrained_valid_mrr}), mrr])
    load = pd.DataFrame.from_dict(history.epochs[-1].expert_load, orient="index")
    load = load.apply(lambda column: _fixed(column, 3)).rename(index=label, columns=lambda i: i + 1)
    texts = mrr.map(lambda value: metric("mrr", None if pd.isna(value) else value))
    return {
        "loss": Table(losses),
        "validation": Table(texts.to_frame("MRR")),
        "experts": Table(load),
    }


def _fixed(values: pd.Series[float], decimals: int) -> pd.Series[str]:
    return values.map(lambda value: MISSING if pd.isna(value) else f"{value:.{decimals}f}")
