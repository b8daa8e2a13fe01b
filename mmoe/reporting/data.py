"""The data set's own tables: Table 1 beside the papers', what the splits share, and what retrieval found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from mmoe.records import SPLITS
from mmoe.reporting.published import Benchmark
from mmoe.reporting.table import Table
from mmoe.reporting.wording import MISSING, plain, share

TABLE_1 = {
    "sentences": "Sentences",
    "entities": "Entities",
    "entities_with_image": "… with an image",
    "mentions": "Mentions",
    "mentions_with_image": "… with an image",
    "train_mentions": "… in train",
    "valid_mentions": "… in valid",
    "test_mentions": "… in test",
}
LEAKS = {
    "mentions": "Mentions",
    "same_context": "Same context",
    "same_image": "Same image, byte for byte",
    "similar_image": "Similar image",
    "overlaps_train": "… any of these three",
    "own_image": "Image of the gold entity is the mention's own",
    "similar_own_image": "… or similar to it",
    "clean": "Clean: none of the above",
    "seen_gold": "Same gold entity",
}
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


def table_1(own: Mapping[str, int], published: Benchmark | None) -> Table:
    """This data set's counts, beside MMoE's Table 1 where it is one of the papers'."""
    title = "Number" if published is None else "Here"
    columns = {title: {key: plain(own[key]) for key in TABLE_1}}
    if published is not None:
        papers = {key: value for key, value in published if isinstance(value, int)}
        columns["Paper"] = {key: plain(value) for key, value in papers.items()}
        columns["Difference"] = {key: plain(own[key] - value) for key, value in papers.items()}
    texts = pd.DataFrame(columns).reindex(list(TABLE_1)).fillna(MISSING)
    return Table(texts.rename(index=TABLE_1))


def leak_table(leaks: Mapping[str, Any]) -> Table:
    """How many mentions of each split share what with train, and of train with the other two."""
    counts = pd.DataFrame(leaks).loc[list(LEAKS), list(SPLITS)]
    return Table(counts.astype(int).map(plain).rename(index=LEAKS, columns=str.capitalize))


def source_table(counts: Mapping[str, Any]) -> Table:
    """Every source of retrieve.json, one a column, the chosen one first; shares of all mentions."""
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
