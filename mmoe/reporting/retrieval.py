"""What candidate retrieval found: one column a source, the number of candidates, the most ambiguous words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmoe.reporting.audit import Grid
from mmoe.reporting.wording import MISSING, plain

SHARES = {
    "share_without_candidate": "No candidate, %",
    "share_with_one_candidate": "One, %",
    "share_with_several_candidates": "Several, %",
}
RECALLS = {
    "recall_at_1": "Gold first, %",
    "recall_at_5": "… in the first 5, %",
    "recall_at_20": "… in the first 20, %",
    "recall_at_all": "… in all, %",
}
WORDS_SHOWN = 12
SOURCES = {"index": "Label index", "api": "Wikidata's API", "kb": "Knowledge base", "none": "None"}


def source_table(counts: Mapping[str, Any], runs: Mapping[str, Any]) -> Grid:
    """Every source that was asked, one a column, the chosen one first; shares of all mentions.

    Args:
        counts: of retrieve.json.
        runs: of retrieve_runs.json: seconds, numbers of requests and cut words of each source.
    """
    sources = counts["sources"]
    used = [SOURCES[name] + (" (used)" if name == counts["source"] else "") for name in sources]
    found = [part["all"] for part in sources.values()]
    rows = [(title, *(_percent(each[key]) for each in found)) for key, title in SHARES.items()]
    rows.append(("Mean number", *(_mean(each["mean_candidates"]) for each in found)))
    rows += [(title, *(_recall(each, key) for each in found)) for key, title in RECALLS.items()]
    asked = [runs[name] for name in sources]
    rows.append(("Seconds", *(plain(run["seconds"]) for run in asked)))
    rows.append(("Requests", *(plain(sum(run["requests"].values())) for run in asked)))
    if any("words_cut" in run for run in asked):
        cut = (plain(len(run["words_cut"])) if "words_cut" in run else MISSING for run in asked)
        rows.append(("Words with more items than it lists", *cut))
    return Grid(("", *used), tuple(rows))


def cut_words(counts: Mapping[str, Any], runs: Mapping[str, Any]) -> str:
    """The first words of which a source that was asked lists not all items; empty if there is none."""
    words = [word for name in counts["sources"] for word in runs[name].get("words_cut", ())]
    return ", ".join(words[:WORDS_SHOWN]) + (", …" if len(words) > WORDS_SHOWN else "")


def candidate_histogram(counts: Mapping[str, Any]) -> Grid:
    """Mentions by their number of candidates, one column a source."""
    sources = counts["sources"]
    columns = [found["histogram"] for found in sources.values()]
    rows = [
        (buckets[0]["candidates"], *(plain(bucket["mentions"]) for bucket in buckets))
        for buckets in zip(*columns, strict=True)
    ]
    return Grid(("Candidates", *(SOURCES[source] for source in sources)), tuple(rows))


def ambiguous_words(counts: Mapping[str, Any]) -> Grid:
    """The words with most candidates of the chosen source."""
    rows = [
        (each["surface_form"], plain(each["candidates"]), plain(each["mentions"]))
        for each in counts["sources"][counts["source"]]["most_ambiguous"]
    ]
    return Grid(("Word", "Candidates", "Mentions"), tuple(rows))


def _recall(numbers: Mapping[str, Any], name: str) -> str:
    share = numbers[name]
    if share is None:
        return MISSING
    low, high = numbers[f"{name}_low"], numbers[f"{name}_high"]
    return f"{_percent(share)} ({_percent(low)}–{_percent(high)})"


def _mean(value: float | None) -> str:
    return MISSING if value is None else f"{value:.1f}"


def _percent(share: float | None) -> str:
    return MISSING if share is None else f"{100 * share:.1f}"
