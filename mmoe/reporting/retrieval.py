"""What candidate retrieval found: one column a source, numbers of candidates, ambiguous surface forms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from mmoe.reporting.table import Table
from mmoe.reporting.wording import MISSING, plain, share

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
CUT = "surface_forms_cut"
CUT_SHOWN = 12
SOURCES = {"index": "Label index", "api": "Wikidata's API", "kb": "Knowledge base", "none": "None"}


def source_table(counts: Mapping[str, Any]) -> Table:
    """Every source that was asked, one a column, the chosen one first; shares of all mentions.

    Args:
        counts: of retrieve.json.
    """
    columns = {}
    for source, part in counts["sources"].items():
        found, mean = part["all"], part["all"]["mean_candidates"]
        texts = {title: share(found, key) for key, title in SHARES.items()}
        texts["Mean number"] = MISSING if mean is None else f"{mean:.1f}"
        texts |= {title: share(found, key) for key, title in RECALLS.items()}
        if CUT in part:
            texts["Surface forms with more items than listed"] = plain(len(part[CUT]))
        used = " (used)" if source == counts["source"] else ""
        columns[SOURCES.get(source, source) + used] = texts
    return Table(pd.DataFrame(columns).fillna(MISSING))


def cut_surface_forms(counts: Mapping[str, Any]) -> str:
    """The first surface forms of which a source lists not all items; empty if there is none."""
    forms = [form for part in counts["sources"].values() for form in part.get(CUT, ())]
    return ", ".join(forms[:CUT_SHOWN]) + (", …" if len(forms) > CUT_SHOWN else "")


def candidate_histogram(counts: Mapping[str, Any]) -> Table:
    """Mentions by their number of candidates, one column a source."""
    columns = {
        SOURCES.get(source, source): {
            bucket["candidates"]: plain(bucket["mentions"]) for bucket in part["histogram"]
        }
        for source, part in counts["sources"].items()
    }
    return Table(pd.DataFrame(columns))


def ambiguous_surface_forms(counts: Mapping[str, Any]) -> Table | None:
    """The surface forms with most candidates of the chosen source; None if each has one at most."""
    forms = counts["sources"].get(counts["source"], {}).get("most_ambiguous")
    if not forms:
        return None
    texts = pd.DataFrame(forms).set_index("surface_form")[["candidates", "mentions"]].map(plain)
    return Table(texts.rename(columns=str.capitalize))
