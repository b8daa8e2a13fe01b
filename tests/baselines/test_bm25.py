"""BM25 ranks over the whole knowledge base."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmoe.baselines.bm25 import bm25_word, bm25_word_context
from mmoe.evaluation.ranks import count_ranks
from mmoe.records import Entity

from tests.baselines.test_names import mention
from tests.test_bm25 import TEXT, bm25_by_formula

KB = [
    Entity("Q1", "Ada Testwell", "painter", ()),
    Entity("Q2", "Ada Sampleton", "sailor", ()),
    Entity("Q3", "Ben Testwell", "cook", ()),
]


def test_the_word_alone_ties_and_the_context_decides() -> None:
    mentions = [mention("Ada", "Q2", "Ada went to sea as a sailor.")]
    word, both = bm25_word(mentions, KB), bm25_word_context(mentions, KB)
    assert (word.pessimistic.tolist(), word.optimistic.tolist()) == ([2], [1])
    assert (both.pessimistic.tolist(), both.optimistic.tolist()) == ([1], [1])


def test_an_unknown_word_ties_with_the_whole_knowledge_base() -> None:
    ranks = bm25_word([mention("Zoe", "Q1"), mention("", "Q3")], KB)
    assert ranks.pessimistic.tolist() == [3, 3]
    assert ranks.optimistic.tolist() == [1, 1]


def test_no_mention_has_no_rank() -> None:
    assert len(bm25_word([], KB)) == 0


@given(
    texts=st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=5),
    queries=st.lists(st.tuples(TEXT, TEXT, st.integers(0, 99)), min_size=1, max_size=4),
)
def test_ranks_equal_those_of_the_formula(
    texts: list[tuple[str, str]], queries: list[tuple[str, str, int]]
) -> None:
    entities = [Entity(f"Q{row}", *text, ()) for row, text in enumerate(texts)]
    gold = np.array([row % len(texts) for _, _, row in queries], dtype=np.int64)
    mentions = [
        mention(word, f"Q{row}", context)
        for (word, context, _), row in zip(queries, gold, strict=True)
    ]
    documents = [f"{name} {attributes}" for name, attributes in texts]
    scores = [
        [
            bm25_by_formula(documents, f"{word} {context}", row, 0.9, 0.4)
            for row in range(len(documents))
        ]
        for word, context, _ in queries
    ]
    wanted, found = count_ranks(np.array(scores), gold), bm25_word_context(mentions, entities)
    np.testing.assert_array_equal(found.pessimistic, wanted.pessimistic)
    np.testing.assert_array_equal(found.optimistic, wanted.optimistic)


def test_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    mentions = [mention(entity.name, entity.qid, "a cook") for entity in KB] * 3
    whole = bm25_word_context(mentions, KB)
    monkeypatch.setattr("mmoe.baselines.bm25.SCORES_AT_A_TIME", 7)
    parts = bm25_word_context(mentions, KB)
    np.testing.assert_array_equal(whole.pessimistic, parts.pessimistic)
    np.testing.assert_array_equal(whole.optimistic, parts.optimistic)
