"""The data set's own tables: Table 1 beside the papers', leaks by split, metrics on subsets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mmoe.records import SPLITS
from mmoe.reporting.published import Benchmark
from mmoe.reporting.table import System, Table, metrics_table
from mmoe.reporting.wording import MISSING, label, plain

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
    "same_context": "Context recurs across the border",
    "same_image": "Image recurs, the same bytes",
    "similar_image": "Image recurs, looks alike",
    "overlaps_train": "… any of these three",
    "own_image": "Gold entity has the mention's own image",
    "similar_own_image": "… one that looks like it",
    "clean": "Clean: nothing of the above",
    "seen_gold": "Gold entity recurs across the border",
}
PART = re.compile(r"(clean|unseen_gold|evidence_[a-z0-9_]+)_num_mentions")
PARTS = {"clean": "Clean mentions", "unseen_gold": "Gold entity not in train"}


@dataclass(frozen=True)
class Grid:
    """A table of texts: titles of the columns, and rows that begin with their own title."""

    titles: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def table_1(data: Mapping[str, Any], published: Benchmark | None) -> Grid:
    """This data set's counts, beside MMoE's Table 1 where it is one of the papers'."""
    own = data["table1"]
    papers: Mapping[str, int] = {} if published is None else published.counts
    titles = ("", "Here") if published is None else ("", "Here", "Paper", "Difference")
    rows = []
    for key, title in TABLE_1.items():
        cells = [plain(own[key])]
        if published is not None:
            known = papers.get(key)
            cells += (
                [MISSING, MISSING]
                if known is None
                else [plain(known), plain(own[key] - known) if own[key] != known else "0"]
            )
        rows.append((title, *cells))
    return Grid(titles, tuple(rows))


def leak_table(data: Mapping[str, Any]) -> Grid:
    """How many mentions of each split share what with the other side of the border."""
    leaks = data["leaks"]
    rows = [(title, *(plain(leaks[s][key]) for s in SPLITS)) for key, title in LEAKS.items()]
    return Grid(("", "Train", "Valid", "Test"), tuple(rows))


def parts_table(name: str, metrics: Mapping[str, float]) -> Table | None:
    """The matcher on all mentions and on each part that is neither empty nor all of them."""
    shown = [System(f"{name}, all mentions", "ours", metrics)]
    for part in (match[1] for match in map(PART.fullmatch, metrics) if match):
        count = int(metrics[f"{part}_num_mentions"])
        if not 0 < count < int(metrics["num_mentions"]):
            continue
        prefix = f"{part}_"
        numbers = {k.removeprefix(prefix): v for k, v in metrics.items() if k.startswith(prefix)}
        title = PARTS.get(part) or label(part)
        shown.append(System(f"{title} ({plain(count)})", "baseline", numbers))
    if len(shown) == 1:
        return None
    columns = ("mrr", "mrr_interval", "hits_at_1", "hits_at_3", "hits_at_5", "median_rank")
    # Other mentions, another task: no best value.
    return metrics_table(shown, columns).without_best()
