"""Exact-name ranks by counting equal ranks over the whole table of scores."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmoe.baselines.names import exact_name, first_candidate
from mmoe.evaluation.ranks import count_ranks
from mmoe.names import normalise_name
from mmoe.records import Candidate, Entity, Mention

NAME = st.sampled_from(["Ada", "ada", "Ada_T.", "ada t.", "Ben", ""])


def mention(surface_form: str, gold_qid: str) -> Mention:
    return Mention("m", "m", surface_form, "", None, gold_qid, True, "test")


@given(
    names=st.lists(NAME, min_size=1, max_size=6),
    rows=st.lists(st.tuples(NAME, st.integers(0, 99)), max_size=5),
)
def test_counting_equals_the_table_of_scores(names: list[str], rows: list[tuple[str, int]]) -> None:
    entities = [Entity(f"Q{row}", name, "", ()) for row, name in enumerate(names)]
    gold = np.array([row % len(names) for _, row in rows], dtype=np.int64)
    ranks = exact_name(
        [mention(form, f"Q{row}") for (form, _), row in zip(rows, gold, strict=True)], entities
    )
    scores = np.array(
        [[float(normalise_name(w) == normalise_name(n)) for n in names] for w, _ in rows]
    ).reshape(len(rows), len(names))
    wanted = count_ranks(scores, gold)
    np.testing.assert_array_equal(ranks.pessimistic, wanted.pessimistic)
    np.testing.assert_array_equal(ranks.optimistic, wanted.optimistic)
    assert ranks.pessimistic.dtype == ranks.optimistic.dtype == np.int64


def test_a_gold_entity_outside_the_knowledge_base_is_an_error() -> None:
    with pytest.raises(KeyError, match="Q9"):
        exact_name([mention("Ada", "Q9")], [Entity("Q1", "Ada", "", ())])


def test_the_first_candidate_of_the_knowledge_base_is_the_one_answer() -> None:
    entities = [Entity(f"Q{row}", "Ada", "", ()) for row in (1, 2, 3)]

    def candidate(mention_id: str, position: int, qid: str) -> Candidate:
        return Candidate(mention_id, position, qid, "Ada", "", "label", None)

    given = [
        *(candidate("right", 1, "Q2"), candidate("right", 0, "Q1")),
        *(candidate("second", 0, "Q1"), candidate("second", 1, "Q2")),
        *(candidate("elsewhere", 0, "Q99"), candidate("elsewhere", 1, "Q3")),
    ]
    gold = {"right": "Q1", "second": "Q2", "elsewhere": "Q3", "without": "Q3"}
    mentions = [Mention(id_, "m", "Ada", "", None, qid, True, "test") for id_, qid in gold.items()]
    ranks = first_candidate(mentions, given, entities)
    assert ranks.pessimistic.tolist() == [1, 3, 1, 3]
    assert ranks.optimistic.tolist() == [1, 2, 1, 1]
