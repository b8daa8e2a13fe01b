"""Which systems stand in which table, and under which name."""

from __future__ import annotations

from collections.abc import Mapping

from mmoe.reporting.inputs import Inputs
from mmoe.reporting.published import PublishedOn
from mmoe.reporting.table import System, Table, metrics_table
from mmoe.reporting.wording import label

PUBLISHED_COLUMNS = ("mrr", "hits_at_1", "hits_at_3", "hits_at_5", "mean_rank")


def matcher_name(inputs: Inputs) -> str:
    """What the matcher of this run is called, from the configuration that it was trained with."""
    model = inputs.history.config.get("model")
    name = model.get("name") if isinstance(model, Mapping) else None
    return label(str(name)) if name else "Matcher"


def main_systems(inputs: Inputs) -> list[System]:
    """The matcher, itself untrained where that was measured, and the baselines."""
    name, metrics = matcher_name(inputs), inputs.metrics
    systems = [System(name, "ours", metrics, note="this run")]
    before = {
        key.removeprefix("untrained_"): value
        for key, value in metrics.items()
        if key.startswith("untrained_")
    }
    if before:
        systems.append(System(f"{name}, untrained", "untrained", before))
    return systems + [
        System(label(key), "baseline", numbers) for key, numbers in inputs.baselines.items()
    ]


def main_table(inputs: Inputs) -> Table:
    """The systems of this run, ranked over the same knowledge base."""
    hits = sorted(
        (key for key in inputs.metrics if key.removeprefix("hits_at_").isdecimal()),
        key=lambda key: int(key.removeprefix("hits_at_")),
    )
    columns = ("mrr", "mrr_interval", *hits, "mean_rank", "median_rank")
    return metrics_table(main_systems(inputs), columns)


def published_table(inputs: Inputs, published: PublishedOn) -> Table:
    """This run, then what papers report; a best value is marked only where all ranked one KB."""
    papers = [
        System(
            result.system,
            "published",
            result.values,
            note=", ".join(
                part
                for part in (
                    f"{result.paper}, {result.table}",
                    result.origin and f"from {result.origin}",
                )
                if part
            ),
        )
        for result in published.results
    ]
    ours = System(matcher_name(inputs), "ours", inputs.metrics, note="this run")
    table = metrics_table([ours, *papers], PUBLISHED_COLUMNS)
    same_kb = published.benchmark.entities == int(inputs.metrics["num_entities"])
    return table if same_kb else table.without_best()
