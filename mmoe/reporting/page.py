"""The page and its Markdown twin: inputs to the values that the templates print."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup, escape

from mmoe.evaluation.histogram import rank_histogram
from mmoe.records import READS_ANSWER
from mmoe.reporting import data, descriptions, setup, systems, wording
from mmoe.reporting.examples import examples
from mmoe.reporting.inputs import Inputs
from mmoe.reporting.table import cell, markdown_table

TEMPLATES = Path(__file__).parent / "templates"
DATA_GROUPS = {
    "read": "Records read",
    "text": "Texts, in tokens",
    "names": "Names",
    "images": "Images",
}
WIKIDATA_ID = re.compile(r"Q[1-9][0-9]*")
_INTERVAL = re.compile(r"\([−\d.]+(?:–| to )[−\d.]+\)")


class Report(NamedTuple):
    """The finished texts; `main_table` is the main table alone, aligned for a terminal."""

    html: str
    markdown: str
    main_table: str


def build_report(inputs: Inputs, num_examples: int) -> Report:
    """Renders the page; the same inputs give the same bytes."""
    from mmoe.reporting import charts  # it would double the stage's start

    values, environment = _values(inputs), _environment()
    histograms = _histograms(inputs)
    html = environment.get_template("report.html.jinja")
    return Report(
        html=html.render(
            **values,
            dark=charts.DARK,
            charts=charts.draw(
                inputs.history,
                systems.main_systems(inputs),
                histograms,
                inputs.reranker.calibrated,
            ),
            numbers=systems.numbers(inputs.history, histograms)
            | systems.reliability(inputs.reranker),
            examples=examples(inputs, num_examples),
        ),
        markdown=environment.get_template("report.md.jinja").render(**values),
        main_table=markdown_table(values["main"]),
    )


def _values(inputs: Inputs) -> dict[str, Any]:
    """What HTML and Markdown have in common."""
    published, ablation = inputs.published, inputs.ablation
    benchmark = None if published is None else published.benchmark
    return {
        "dataset": inputs.dataset,
        "name": systems.matcher_name(inputs),
        "metrics": inputs.metrics,
        "num_entities": len(inputs.entities),
        "history": inputs.history,
        "main": systems.main_table(inputs),
        "among": systems.among_table(inputs),
        "reranker": inputs.reranker,
        "weight_tables": systems.weight_tables(inputs.reranker),
        "parts_shown": systems.parts_table(inputs),
        "few_note": systems.FEW_NOTE,
        "setup": setup.setup_table(inputs),
        "settings": {**inputs.settings, **inputs.history.config},
        "table_1": data.table_1(inputs.data.table1, benchmark),
        "leaks": data.leak_table(inputs.data.leaks),
        "counts": {title: getattr(inputs.data, key) for key, title in DATA_GROUPS.items()},
        "sources": data.source_table(inputs.retrieval),
        "cut": data.cut_surface_forms(inputs.retrieval),
        "candidates": data.candidate_histogram(inputs.retrieval),
        "ambiguous": data.ambiguous_surface_forms(inputs.retrieval),
        "retrieve_note": inputs.retrieval.get("note"),
        "ranking": inputs.ranking,
        "backend": inputs.ranking.get("backend"),
        "reads_answer": inputs.ranking.get("backend") in READS_ANSWER,
        "ablation": ablation,
        "ablation_off": inputs.ablation_off,
        "ablation_tables": {} if ablation is None else _ablation_tables(ablation),
        "published": published,
        "published_table": None
        if published is None
        else systems.published_table(inputs, published),
        "other_kb": benchmark is not None and benchmark.entities != len(inputs.entities),
    }


def _ablation_tables(ablation: descriptions.Ablation) -> dict[str, Any]:
    tables = {
        "Right choices (95 %: Wilson)": descriptions.choice_table,
        "MRR × 100 with these descriptions (95 %)": descriptions.mrr_table,
        "Gain over no description (95 %, paired)": descriptions.gain_table,
        "Part of the oracle candidate's gain, % (95 %, paired)": descriptions.gap_table,
    }
    return {title: found for title, of in tables.items() if (found := of(ablation)) is not None}


def _histograms(inputs: Inputs) -> dict[str, pd.DataFrame]:
    untrained = inputs.untrained_ranks
    found = {"Trained": rank_histogram(inputs.ranked["rank"].to_numpy())}
    return found if untrained is None else found | {"Untrained": rank_histogram(untrained)}


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
        "percent": lambda value: wording.metric("mrr", value),
        "ends": lambda estimate: wording.interval(estimate.low, estimate.high),
        "signed": wording.signed,
        "unbroken": _unbroken,
        "cell": cell,
        "markdown_table": markdown_table,
    }
    environment.tests["wikidata_id"] = lambda qid: WIKIDATA_ID.fullmatch(qid) is not None
    return environment


def _unbroken(text: str) -> Markup:
    """A cell of a narrow table may break before an interval in brackets, never inside it."""
    safe = str(escape(text))
    return Markup(_INTERVAL.sub(r'<span class="interval">\g<0></span>', safe))  # noqa: S704  # nosec B704
