"""Ranks as a table: every mention, backend and system once."""

from __future__ import annotations

import numpy as np

from mmoe.description_ablation.table import SCHEMA, rank_table
from mmoe.description_ablation.texts import ChoiceTexts
from mmoe.descriptions import ablation_texts
from mmoe.evaluation.ranks import Ranks

from tests.description_ablation.rows import choice
from tests.descriptions.rows import mention


def test_one_row_for_each_mention_backend_and_system() -> None:
    mentions = [mention("a"), mention("b")]
    choices = {
        "none": [choice("a", "none", None), choice("b", "none", None)],
        "first": [choice("a", "first", "x"), choice("b", "first", None)],
    }
    records = [record for found in choices.values() for record in found]
    texts = ChoiceTexts.of(ablation_texts(mentions, records), mentions)
    ranks = Ranks(np.array([3, 5, 1]), np.array([2, 4, 1]))  # of a:none, b:none, a:x
    rows = rank_table(choices, texts, {"s": ranks, "t": ranks}).to_pylist()
    assert len(rows) == 8
    assert rows[2] == {
        "mention_id": "a",
        "backend": "first",
        "system": "s",
        "rank": 1,
        "rank_optimistic": 1,
    }
    assert [row["rank"] for row in rows if row["system"] == "t"] == [3, 5, 1, 5]


def test_nothing_compared_is_an_empty_table() -> None:
    table = rank_table({}, ChoiceTexts.of([], []), {})
    assert (table.num_rows, table.schema) == (0, SCHEMA)
