"""What a run was made with, in few lines: encoder, candidates, descriptions, data, matcher, training."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import pandas as pd

from mmoe.reporting.inputs import History, Inputs
from mmoe.reporting.table import Table
from mmoe.reporting.wording import Definition, definitions, plain

# The first knob of a section says most; the others follow in brackets.
ENCODE = ("model", "max_text_length", "description_budget", "precision")
RETRIEVE = ("source", "match", "languages", "strip_suffix", "max_candidates")
DATA = ("split", "nil", "max_mentions", "leak_policy")
RANK = {
    "embedding": ("backend", "encoder"),
    "random": ("backend", "seed"),
    "openai": (
        *("backend", "model", "server", "prompt", "output", "order", "shown_candidates"),
        *("with_image", "seed"),
    ),
}
TRAIN = ("learning_rate", "batch_size", "mined_negatives", "fraction", "seed")


def setup_table(inputs: Inputs) -> Table:
    """One line a stage that decides the figures, and the versions of the packages."""
    settings, config = inputs.settings, inputs.history.config
    rank, data = settings.get("rank", {}), settings.get("data", {})
    model = config.get("model", {})
    ranker = RANK.get(str(rank.get("backend")), ("backend",))
    split = {"split": f"split {data['split']}"} if "split" in data else {}
    lines = {
        "Data": _chosen({**data, **split}, DATA),
        "Candidates": _chosen(settings.get("retrieve", {}), RETRIEVE),
        "Descriptions": _chosen(rank, ranker),
        "Encoder": _chosen(settings.get("encode", {}), ENCODE),
        "Matcher": _chosen(model, ("name", *(key for key in model if key != "name"))),
        "Training": _training(inputs.history),
        "Packages": ", ".join(f"{name} {version}" for name, version in inputs.versions.items()),
    }
    shown = {name: line for name, line in lines.items() if line}
    return Table(pd.DataFrame({"Settings": shown.values()}, index=list(shown)))


def all_settings(inputs: Inputs) -> tuple[Definition, ...]:
    """Every knob that decided a figure, section by section, as the stages read it."""
    return definitions({**inputs.settings, **inputs.history.config})


def _training(history: History) -> str:
    if not history.epochs:
        return "none"
    last = history.epochs[-1]
    steps = "" if last.step is None else f", {plain(last.step)} steps"
    best = "" if history.best_epoch is None else f", the best after epoch {history.best_epoch}"
    knobs = _chosen(history.config.get("train", {}), TRAIN, first="")
    return f"{len(history.epochs)} epochs{steps}{best}{knobs}"


def _chosen(section: Mapping[str, Any], keys: Collection[str], first: str | None = None) -> str:
    """`value of the first knob (knob value, …)`; knobs that are None are left out."""
    given = {key: plain(section[key]) for key in keys if section.get(key) is not None}
    if not given:
        return ""
    if first is None:
        first = given.pop(next(iter(given)))
    rest = ", ".join(f"{key} {value}" for key, value in given.items())
    return f"{first} ({rest})" if rest else first
