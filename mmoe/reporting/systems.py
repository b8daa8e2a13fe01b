"""The figures of a run: which systems stand in which table, the reranker's weights, what the charts show."""

from __future__ import annotations

import pandas as pd

from mmoe.evaluation.metrics import FEW_MENTIONS, Comparison, SystemMetrics
from mmoe.reporting.inputs import History, Inputs, Reranker
from mmoe.reporting.published import PublishedOn
from mmoe.reporting.table import INTERVAL, System, Table, metrics_table
from mmoe.reporting.wording import MISSING, label, plain, signed

PUBLISHED_COLUMNS = ("mrr", "hits_at_1", "hits_at_3", "hits_at_5", "mean_rank")
PARTS = {
    "clean": "clean mentions",
    "unseen_gold": "gold entity not in train",
    "shared_name": "name that several entities have",
    "form_is_name": "surface form is the name",
    "form_is_not_name": "surface form is not the name",
}
SHOWN_FEATURES = 12
SMALL = 0.005  # a weight that would be printed as zero
FEW = "†"
FEW_NOTE = f"{FEW} fewer than {FEW_MENTIONS} mentions"


def matcher_name(inputs: Inputs) -> str:
    """What the matcher of this run is called, from the configuration that it was trained with."""
    name = inputs.history.config.get("model", {}).get("name")
    return label(str(name)) if name else "Matcher"


def main_systems(inputs: Inputs) -> list[System]:
    """Two-stage linking, the matcher, itself untrained where that was measured, and the baselines."""
    name, metrics = matcher_name(inputs), inputs.metrics
    systems = [System(label(n), "reranked", found.flat()) for n, found in metrics.reranked.items()]
    systems.append(System(name, "ours", metrics.system.flat()))
    if metrics.untrained is not None:
        systems.append(System(f"{name}, untrained", "untrained", metrics.untrained.flat()))
    return systems + _baselines(metrics)


def main_table(inputs: Inputs) -> Table:
    """The systems of this run, ranked over the same knowledge base."""
    return metrics_table(main_systems(inputs), _columns(inputs.metrics.system))


def among_table(inputs: Inputs) -> Table | None:
    """The same where only a mention's candidates can be an answer; None without retrieval."""
    among = inputs.metrics.among_candidates
    if among is None:
        return None
    ours = System(matcher_name(inputs), "ours", among.system.flat())
    return metrics_table([ours, *_baselines(among)], _columns(among.system))


def _baselines(compared: Comparison) -> list[System]:
    return [
        System(label(method), "baseline", found.flat())
        for method, found in compared.baselines.items()
    ]


def parts_table(inputs: Inputs) -> Table | None:
    """Two-stage linking and the matcher, each on all mentions and on each part that is not all of them.

    None without parts.
    """
    metrics, ours = inputs.metrics, matcher_name(inputs)
    shown = [(ours, "ours", metrics.system, metrics.breakdowns)]
    if (last := metrics.reranked_last) is not None:
        again = metrics.reranked[last], metrics.breakdowns_of_reranked
        shown.insert(0, (label(last), "reranked", *again))
    blocks = [_with_parts(*each) for each in shown]
    if all(len(block) == 1 for block in blocks):
        return None
    # The first column is wide; without the last two, all of it fits on a page.
    columns = _columns(metrics.system)[:-2]
    return metrics_table([row for block in blocks for row in block], columns, compared=False)


def _with_parts(
    title: str, kind: str, whole: SystemMetrics, parts: dict[str, SystemMetrics]
) -> list[System]:
    """A system on all mentions, then on each part that is not all of them."""
    return [
        System(f"{title}, all mentions ({_size(whole)})", kind, whole.flat()),
        *(
            System(f"{title}, {_part(name)} ({_size(part)})", "baseline", part.flat())
            for name, part in parts.items()
            if part.num_mentions < whole.num_mentions
        ),
    ]


def published_table(inputs: Inputs, published: PublishedOn) -> Table:
    """This run, then what papers report; a best value is marked only where all ranked one KB."""
    ours = inputs.metrics.system.flat()
    systems = [System(matcher_name(inputs), "ours", ours, note="this run"), *published.systems]
    same_kb = published.benchmark.entities == len(inputs.entities)
    return metrics_table(systems, PUBLISHED_COLUMNS, compared=same_kb)


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


def reliability(reranker: Reranker) -> dict[str, Table]:
    """What the chart of probabilities shows, as a table."""
    if (found := reranker.calibrated) is None:
        return {}
    rows = {
        f"{100 * each.probability:.0f} %": {
            "Right": f"{100 * each.right:.0f} %",
            "Mentions": plain(each.mentions),
        }
        for each in found.bins
    }
    return {"reliability": Table(pd.DataFrame.from_dict(rows, orient="index"))}


def numbers(history: History, histograms: dict[str, pd.DataFrame]) -> dict[str, Table]:
    """What the charts of `charts.draw` show, by their names, as tables that a reader can open below them."""
    columns: dict[str, pd.Series[str]] = {}
    for name, buckets in histograms.items():
        by_rank = buckets.set_index("ranks")
        columns[name] = by_rank["mentions"].map(plain)
        columns[f"{name}, %"] = by_rank["share"].map("{:.2f}".format)
    found = {"ranks": pd.DataFrame(columns)}
    if epochs := history.epochs:
        start = history.untrained_held_out_mrr
        mrr: dict[int, float | None] = {} if start is None else {0: start}
        mrr |= {epoch.epoch: epoch.held_out_mrr for epoch in epochs}
        losses = pd.DataFrame({epoch.epoch: epoch.loss for epoch in epochs}).T
        load = pd.DataFrame.from_dict(epochs[-1].expert_load, orient="index")
        found |= {
            "loss": losses.map(_fixed, decimals=4).rename(columns=label),
            "held_out": pd.Series(mrr).map(_fixed, decimals=2).to_frame("MRR"),
            "experts": load.map(_fixed, decimals=3).rename(index=label, columns=lambda i: i + 1),
        }
    return {name: Table(texts) for name, texts in found.items()}


def _part(name: str) -> str:
    evidence = name.removeprefix("evidence_")
    return PARTS.get(name) or (label(name) if evidence == name else f"evidence: {evidence}")


def _columns(metrics: SystemMetrics) -> list[str]:
    # Hits@1 goes before the interval: a narrow screen shows the first columns.
    hits = [f"hits_at_{n}" for n in metrics.hits_at]
    return ["mrr", hits[0], INTERVAL, *hits[1:], "mean_rank", "median_rank"]


def _size(metrics: SystemMetrics) -> str:
    return plain(metrics.num_mentions) + (FEW if metrics.is_small else "")


def _fixed(value: float, decimals: int) -> str:
    return MISSING if pd.isna(value) else f"{value:.{decimals}f}"
