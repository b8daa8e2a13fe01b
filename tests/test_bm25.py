"""Sparse products give the scores of the plain formula, and those of bm25s's own loop."""

from __future__ import annotations

import math

import numpy as np
from bm25s import BM25
from hypothesis import given
from hypothesis import strategies as st

from mmoe.bm25 import K1, B, TextIndex, TextStatistics, tokens_of

TEXT = st.lists(st.sampled_from(["ada", "Ben", "cy-d", "!", "é", "D"]), max_size=6).map(" ".join)


def bm25_by_formula(documents: list[str], query: str, row: int, k1: float, b: float) -> float:
    """Lucene's BM25, term by term."""
    texts = [tokens_of(document) for document in documents]
    mean_length = sum(map(len, texts)) / len(texts)
    score = 0.0
    for token in tokens_of(query):
        holders = sum(token in text for text in texts)
        count = texts[row].count(token)
        if count:
            rarity = math.log(1 + (len(texts) - holders + 0.5) / (holders + 0.5))
            score += rarity * count / (count + k1 * (1 - b + b * len(texts[row]) / mean_length))
    return score


@given(
    documents=st.lists(TEXT, min_size=1, max_size=6),
    queries=st.lists(TEXT, max_size=4),
    k1=st.sampled_from([0.9, 2.0]),
    b=st.sampled_from([0.0, 0.4, 1.0]),
)
def test_scores_follow_the_formula(
    documents: list[str], queries: list[str], k1: float, b: float
) -> None:
    scores = TextIndex(documents, k1, b).scores(queries)
    wanted = [
        [bm25_by_formula(documents, query, row, k1, b) for row in range(len(documents))]
        for query in queries
    ]
    assert scores.shape == (len(queries), len(documents))
    np.testing.assert_allclose(scores, np.array(wanted).reshape(scores.shape), rtol=1e-9)


@given(
    documents=st.lists(TEXT, min_size=1, max_size=6),
    queries=st.lists(TEXT, min_size=1, max_size=4),
    pairs=st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99)), max_size=9),
)
def test_pairs_equal_the_whole_table(
    documents: list[str], queries: list[str], pairs: list[tuple[int, int]]
) -> None:
    table, known = TextIndex(documents).scores(queries), TextStatistics.of(documents)
    for query, document in pairs:
        row, column = query % len(queries), document % len(documents)
        found = known.scores(queries[row], [documents[column]])
        np.testing.assert_allclose(found, table[row, column], rtol=1e-12)


def test_scores_equal_those_of_bm25s() -> None:
    documents = ["ada paints ada", "ben sails and paints", "", "cy"]
    query = "ada and ben paint and paints"
    bm25 = BM25(k1=1.5, b=0.75, method="lucene", dtype="float64")
    bm25.index([tokens_of(document) for document in documents], show_progress=False)
    np.testing.assert_allclose(
        TextIndex(documents, k1=1.5, b=0.75).scores([query])[0],
        bm25.get_scores(tokens_of(query)),
        rtol=1e-12,
    )


def test_documents_without_a_word_score_nothing() -> None:
    assert TextIndex(["", "!"]).scores(["ada", ""]).tolist() == [[0.0, 0.0], [0.0, 0.0]]


@given(documents=st.lists(TEXT, min_size=1, max_size=6), query=TEXT, others=st.lists(TEXT))
def test_statistics_give_the_scores_of_the_texts_and_of_others(
    documents: list[str], query: str, others: list[str]
) -> None:
    known = TextStatistics.of(documents)
    wanted = [
        bm25_by_formula(documents, query, row, K1, B) if any(map(tokens_of, documents)) else 0
        for row in range(len(documents))
    ]
    np.testing.assert_allclose(known.scores(query, documents), wanted, atol=1e-9)
    assert np.isfinite(known.scores(query, others)).all()
