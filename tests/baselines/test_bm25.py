"""BM25 ranks over the whole knowledge base."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mmoe.baselines.bm25 import bm25_ranks
from mmoe.evaluation.ranks import count_ranks
from mmoe.records import Entity

from tests.test_bm25 import TEXT, bm25_by_formula

KB = [
    Entity("Q1", "Ada Testwell", "painter", ()),
    Entity("Q2", "Ada Sampleton", "sailor", ()),
    Entity("Q3", "Ben Testwell", "cook", ()),
]


def test_the_name_alone_ties_and_the_context_decides() -> None:
    ranks = bm25_ranks(["Ada", "Ada went to sea as a sailor."], ["Q2", "Q2"], KB)
    assert (ranks.pessimistic.tolist(), ranks.optimistic.tolist()) == ([2, 1], [1, 1])


def test_unknown_words_tie_with_the_whole_knowledge_base() -> None:
    ranks = bm25_ranks(["Zoe", ""], ["Q1", "Q3"], KB)
    assert (ranks.pessimistic.tolist(), ranks.optimistic.tolist()) == ([3, 3], [1, 1])


@given(
    texts=st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=5),
    queries=st.lists(st.tuples(TEXT, st.integers(0, 99)), min_size=1, max_size=4),
)
def test_ranks_equal_those_of_the_formula(
    texts: list[tuple[str, str]], queries: list[tuple[str, int]]
) -> None:
    entities = [Entity(f"Q{row}", *text, ()) for row, text in enumerate(texts)]
    gold = np.array([row % len(texts) for _, row in queries], dtype=np.int64)
    documents = [f"{name} {attributes}" for name, attributes in texts]
    scores = [
        [bm25_by_formula(documents, query, row, 0.9, 0.4) for row in range(len(documents))]
        for query, _ in queries
    ]
    wanted = count_ranks(np.array(scores), gold)
    found = bm25_ranks([query for query, _ in queries], [f"Q{row}" for row in gold], entities)
    np.testing.assert_array_equal(found.pessimistic, wanted.pessimistic)
    np.testing.assert_array_equal(found.optimistic, wanted.optimistic)
