"""The table of ranks holds one row a mention, with the best entities and their scores."""

from __future__ import annotations

import numpy as np
import pytest

from mmoe.evaluation.ranks import Ranks
from mmoe.linking.rank_table import rank_table
from mmoe.linking.ranked import BestEntities, MentionRanks

from tests.stores import Toy, records_of

MENTIONS, ENTITIES = records_of(Toy(mentions=3, entities=4, nils=0))
GOLD = {
    "overall": np.array([6.0, 1.0, 0.25], dtype=np.float32),
    "toy": np.array([5.0, 2.0, 0.25], dtype=np.float32),
}
TOP = {
    "overall": np.array([[6.0, 3.0], [2.0, 1.0], [0.5, 0.375]], dtype=np.float32),
    "toy": np.array([[5.0, 1.0], [2.5, 2.0], [0.5, 0.25]], dtype=np.float32),
}
RANKED = MentionRanks(
    Ranks(np.array([1, 4, 2]), np.array([1, 3, 2])),
    GOLD,
    BestEntities(np.array([[0, 2], [3, 1], [1, 2]]), TOP, 0),
    num_scored=12,
)


def test_a_mention_is_a_row() -> None:
    untrained = Ranks(np.array([3, 3, 4]), np.array([2, 2, 2]))
    rows = rank_table(MENTIONS, ENTITIES, RANKED, untrained).to_pylist()
    assert [row["mention_id"] for row in rows] == ["m0", "m1", "m2"]
    assert [row["gold_qid"] for row in rows] == ["Q0", "Q1", "Q2"]
    assert [row["rank"] for row in rows] == [1, 4, 2]
    assert [row["rank_optimistic"] for row in rows] == [1, 3, 2]
    assert [row["untrained_rank"] for row in rows] == [3, 3, 4]
    assert rows[1]["top"] == [
        {"qid": "Q3", "overall": 2.0, "toy": 2.5},
        {"qid": "Q1", "overall": 1.0, "toy": 2.0},
    ]
    assert [row["gold"] for row in rows][1] == {"overall": 1.0, "toy": 2.0}


def test_without_an_untrained_matcher_its_ranks_are_null() -> None:
    assert rank_table(MENTIONS, ENTITIES, RANKED, None)["untrained_rank"].to_pylist() == [
        None,
        None,
        None,
    ]


@pytest.mark.parametrize("untrained", [None, Ranks(np.empty(0, int), np.empty(0, int))])
def test_no_mention_is_an_empty_table_of_the_same_columns(untrained: Ranks | None) -> None:
    nothing = MentionRanks(
        Ranks(np.empty(0, int), np.empty(0, int)),
        {name: np.empty(0, np.float32) for name in GOLD},
        BestEntities(np.empty((0, 2), int), {n: np.empty((0, 2), np.float32) for n in TOP}, 0),
        num_scored=0,
    )
    empty = rank_table([], ENTITIES, nothing, untrained)
    assert empty.schema.equals(rank_table(MENTIONS, ENTITIES, RANKED, None).schema)
