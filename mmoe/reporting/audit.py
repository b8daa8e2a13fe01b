"""The data set's own tables: Table 1 beside the papers', and what the splits share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from mmoe.records import SPLITS
from mmoe.reporting.published import Benchmark
from mmoe.reporting.table import Table
from mmoe.reporting.wording import MISSING, plain

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


def table_1(data: Mapping[str, Any], published: Benchmark | None) -> Table:
    """This data set's counts, beside MMoE's Table 1 where it is one of the papers'."""
    own = data["table1"]
    columns = {"Here": {key: plain(own[key]) for key in TABLE_1}}
    if published is not None:
        papers = published.counts
        columns["Paper"] = {key: plain(papers[key]) for key in papers}
        columns["Difference"] = {key: plain(own[key] - papers[key]) for key in papers}
    texts = pd.DataFrame(columns).reindex(list(TABLE_1)).fillna(MISSING)
    return Table(texts.rename(index=TABLE_1))


def leak_table(data: Mapping[str, Any]) -> Table:
    """How many mentions of each split share what with train, and of train with the other two."""
    counts = pd.DataFrame(data["leaks"]).loc[list(LEAKS), list(SPLITS)]
    return Table(counts.astype(int).map(plain).rename(index=LEAKS, columns=str.capitalize))
