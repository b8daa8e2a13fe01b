"""What candidate retrieval found: one row a source, the number of candidates, the most ambiguous words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmoe.reporting.audit import Grid
from mmoe.reporting.wording import MISSING, plain

RECALLS = {
    "recall_at_1": "Gold@1",
    "recall_at_5": "@5",
    "recall_at_20": "@20",
    "recall_at_all": "in all",
}
KINDS = ("without_candidate", "with_one_candidate", "with_several_candidates")
SOURCES = {"index": "Label index", "api": "Wikidata's API", "kb": "Knowledge base", "none": "None"}


def source_table(counts: Mapping[str, Any], runs: Mapping[str, Any]) -> Grid:
    """Every source that was asked, the chosen one first; shares of all mentions in percent.

    Args:
        counts: of retrieve.json.
        runs: of runs.json: seconds and numbers of requests of each source.
    """
    titles = (
        "",
        "No candidate",
        "One",
        "Several",
        "Mean",
        *RECALLS.values(),
        "Seconds",
        "Requests",
    )
    rows = []
    for source, found in counts["sources"].items():
        numbers, run = found["all"], runs[source]
        shares = (numbers[f"share_{kind}"] for kind in KINDS)
        mean = numbers["mean_candidates"]
        rows.append(
            (
                SOURCES[source] + (" (used)" if source == counts["source"] else ""),
                *(_percent(share) for share in shares),
                MISSING if mean is None else f"{mean:.1f}",
                *(_recall(numbers, name) for name in RECALLS),
                plain(run["seconds"]),
                plain(sum(run["requests"].values())),
            )
        )
    return Grid(titles, tuple(rows))


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
        (each["word"], plain(each["candidates"]), plain(each["mentions"]))
        for each in counts["sources"][counts["source"]]["most_ambiguous"]
    ]
    return Grid(("Word", "Candidates", "Mentions"), tuple(rows))


def _recall(numbers: Mapping[str, Any], name: str) -> str:
    share = numbers[name]
    if share is None:
        return MISSING
    low, high = numbers[f"{name}_low"], numbers[f"{name}_high"]
    return f"{_percent(share)} ({_percent(low)}–{_percent(high)})"


def _percent(share: float | None) -> str:
    return MISSING if share is None else f"{100 * share:.1f}"
