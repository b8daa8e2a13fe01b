"""The page and its Markdown twin: inputs to the values that the templates print."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from mmoe.evaluation.histogram import histogram_of
from mmoe.reporting import charts, wording
from mmoe.reporting.audit import leak_table, parts_table, table_1
from mmoe.reporting.descriptions import (
    choice_table,
    gain_table,
    gap_table,
    mrr_table,
    reads_answer,
)
from mmoe.reporting.examples import examples
from mmoe.reporting.inputs import Inputs
from mmoe.reporting.markdown import cell, markdown_grid, markdown_table
from mmoe.reporting.retrieval import (
    ambiguous_words,
    candidate_histogram,
    cut_words,
    source_table,
)
from mmoe.reporting.style import DARK
from mmoe.reporting.systems import (
    main_systems,
    main_table,
    matcher_name,
    published_table,
)

TEMPLATES = Path(__file__).parent / "templates"
DATA_GROUPS = {
    "read": "Records read",
    "text": "Texts, in tokens",
    "names": "Names",
    "images": "Images",
}
WIKIDATA_ID = re.compile(r"Q[1-9][0-9]*")


@dataclass(frozen=True)
class Report:
    """The finished texts.

    Attributes:
        html: one self-contained page.
        markdown: summary, main table and published results.
        main_table: the main table alone, as Markdown that is aligned for a terminal.
    """

    html: str
    markdown: str
    main_table: str


def build_report(inputs: Inputs, num_examples: int) -> Report:
    """Renders the page; the same inputs give the same bytes.

    Args:
        inputs: of `read_inputs`.
        num_examples: mentions shown.
    Raises:
        DataError: if the files contradict each other.
    """
    values, environment = _values(inputs), _environment()
    html = environment.get_template("report.html.jinja")
    markdown = environment.get_template("report.md.jinja")
    return Report(
        html=html.render(
            **values,
            dark=DARK,
            charts=_charts(inputs),
            histogram=_histograms(inputs),
            examples=examples(inputs, num_examples),
        ),
        markdown=markdown.render(**values),
        main_table=markdown_table(values["main"]),
    )


def _values(inputs: Inputs) -> dict[str, Any]:
    """What HTML and Markdown have in common."""
    metrics, published = inputs.metrics, inputs.published
    groups = {title: inputs.data[key] for key, title in DATA_GROUPS.items()}
    return {
        "dataset": inputs.dataset,
        "name": matcher_name(inputs),
        "metrics": metrics,
        "history": inputs.history,
        "table_1": table_1(inputs.data, None if published is None else published.benchmark),
        "leaks": leak_table(inputs.data),
        "sources": source_table(inputs.retrieval, inputs.retrieve_runs),
        "cut_words": cut_words(inputs.retrieval, inputs.retrieve_runs),
        "candidates": candidate_histogram(inputs.retrieval),
        "ambiguous": ambiguous_words(inputs.retrieval),
        "choices": choice_table(inputs.worth),
        "worth": inputs.worth,
        "worth_mrr": mrr_table(inputs.worth),
        "worth_gain": gain_table(inputs.worth),
        "worth_gap": gap_table(inputs.worth),
        "retrieve_note": inputs.retrieval.get("note"),
        "parts_shown": parts_table(matcher_name(inputs), metrics),
        "counts": {title: wording.definitions(c) for title, c in groups.items()},
        "reads_answer": reads_answer(inputs.worth),
        "ranking": wording.definitions(inputs.ranking),
        "settings": wording.definitions(inputs.history.config),
        "main": main_table(inputs),
        "published": published,
        "published_table": None if published is None else published_table(inputs, published),
        "other_kb": published is not None
        and published.benchmark.entities != int(metrics["num_entities"]),
    }


def _charts(inputs: Inputs) -> dict[str, Markup]:
    """The charts that the data allow; their texts are escaped by the renderer."""
    history = inputs.history
    drawn = {
        "intervals": charts.interval_chart(main_systems(inputs)),
        "ranks": charts.rank_chart(_histograms(inputs)),
    }
    if history.epochs:
        drawn |= {
            "loss": charts.loss_chart(history.epochs),
            "learning_rate": charts.learning_rate_chart(history.epochs),
        }
        if any(epoch.valid_mrr is not None for epoch in history.epochs):
            drawn["validation"] = charts.validation_chart(history)
        if any(sum(shares) > 0 for shares in history.epochs[-1].expert_load.values()):
            drawn["experts"] = charts.expert_chart(history.epochs[-1].expert_load)
    return {name: Markup(svg) for name, svg in drawn.items()}  # noqa: S704


def _histograms(inputs: Inputs) -> dict[str, list[dict[str, Any]]]:
    ranked = inputs.ranked
    ranks: dict[str, np.ndarray[Any, np.dtype[np.int64]]] = {"Trained": ranked.ranks}
    if ranked.untrained is not None:
        ranks["Untrained"] = ranked.untrained
    return {name: histogram_of(of) for name, of in ranks.items()}


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(("html.jinja", "css.jinja"), default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "count": wording.plain,
        "label": wording.label,
        "metric": lambda value, name: wording.metric(name, value),
        "signed": wording.signed,
        "cell": cell,
        "markdown_grid": markdown_grid,
        "markdown_table": markdown_table,
    }
    environment.globals["interval"] = wording.interval
    environment.tests["wikidata_id"] = lambda qid: WIKIDATA_ID.fullmatch(qid) is not None
    return environment
