"""What a run was made with, a line for each stage that decides figures."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import pandas as pd

from mmoe.reporting.inputs import History, Inputs
from mmoe.reporting.table import Table
from mmoe.reporting.wording import label, plain

# The first knob of a section says most; the others follow in brackets.
ENCODE = ["model", "max_text_length", "description_budget", "precision"]
RETRIEVE = ["source", "match", "languages", "strip_suffix", "max_candidates"]
DATA = ["split", "nil", "max_mentions", "leak_policy"]
RANK = {
    "embedding": "backend encoder",
    "random": "backend seed",
    "openai": "backend model server prompt output order shown_candidates with_image seed",
}
TRAIN = ["learning_rate", "batch_size", "confusable", "mined_negatives", "fraction", "seed"]
OWN_LINES = ("model", "loss", "train")
# Where a matcher sees something else than its paper's.
NOTES = {
    "dsmip": "the gate sees the first state of the untuned vision tower, not VGG-16's 4096 numbers"
}


def setup_table(inputs: Inputs) -> Table:
    """One line a stage that decides the figures, and the versions of the packages."""
    settings, config = inputs.settings, inputs.history.config
    rank, data = settings.get("rank", {}), settings.get("data", {})
    ranker = RANK.get(str(rank.get("backend")), "backend").split()
    split = {"split": f"split {data['split']}"} if "split" in data else {}
    lines = {
        "Data": _line({**data, **split}, DATA),
        "Candidates": _line(settings.get("retrieve", {}), RETRIEVE),
        "Descriptions": _line(rank, ranker),
        "Encoder": _line(settings.get("encode", {}), ENCODE),
        "Tuning": _tuning(inputs),
        "Matcher": _line(config.get("model", {}), ("name", *config.get("model", {}))),
        # The matcher's own section.
        **{label(n): _own(n, part) for n, part in config.items() if n not in OWN_LINES},
        "Training": _training(inputs.history),
        "Packages": ", ".join(f"{name} {version}" for name, version in inputs.versions.items()),
    }
    shown = {name: line for name, line in lines.items() if line}
    return Table(pd.DataFrame({"Settings": shown}))


def _tuning(inputs: Inputs) -> str:
    """What of the encoder was trained with the matcher, and what papers train; empty without any."""
    tuned = inputs.history.tuned
    if tuned is None:
        return ""
    counts = tuned.trained_parameters
    papers = [
        f"{each.tuned} {each.millions:g} million ({each.paper}, {each.table})"
        for each in inputs.trained_elsewhere
    ]
    own = f"{plain(counts['encoder'])} parameters of the encoder, {plain(counts['matcher'])} of the matcher"
    return f"{tuned.method}: {own}" + (f"; published: {', '.join(papers)}" if papers else "")


def _training(history: History) -> str:
    if not history.epochs:
        return "none"
    last = history.epochs[-1]
    steps = "" if last.step is None else f", {plain(last.step)} steps"
    best = "" if history.best_epoch is None else f", the best after epoch {history.best_epoch}"
    knobs = _knobs(history.config.get("train", {}), TRAIN)
    return f"{len(history.epochs)} epochs{steps}{best}" + (f" ({knobs})" if knobs else "")


def _line(section: Mapping[str, Any], keys: Collection[str]) -> str:
    """The value of the first knob, and the others in brackets; empty without a section."""
    first, *others = dict.fromkeys(keys)
    if first not in section:
        return ""
    knobs = _knobs(section, others)
    return plain(section[first]) + (f" ({knobs})" if knobs else "")


def _own(name: str, section: Mapping[str, Any]) -> str:
    return "; ".join(filter(None, (_knobs(section, section), NOTES.get(name))))


def _knobs(section: Mapping[str, Any], keys: Collection[str]) -> str:
    """Knobs and values; those that are None are left out."""
    return ", ".join(f"{k} {plain(section[k])}" for k in keys if section.get(k) is not None)
