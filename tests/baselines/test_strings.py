"""Baselines that read names and texts alone, over the whole knowledge base and over the candidates."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from mmoe.baselines import strings
from mmoe.baselines.run import RETRIEVAL_ORDER, ranks_of
from mmoe.evaluation.ranks import candidate_lists, count_ranks
from mmoe.names import normalise_name
from mmoe.records import Candidate, Entity, Mention

from tests.test_bm25 import TEXT, bm25_by_formula

NAME = st.sampled_from(["Ada", "ada", "Ada_T.", "ada t.", "Ben", ""])
KB = [
    Entity("Q1", "Ada Testwell", "painter", ()),
    Entity("Q2", "Ada Sampleton", "sailor", ()),
    Entity("Q3", "Ben Testwell", "cook", ()),
]


def mention(surface_form: str, mention_id: str = "m") -> Mention:
    return Mention(mention_id, "m", surface_form, "", None, None, True, "test")


def candidate(mention_id: str, position: int, qid: str) -> Candidate:
    return Candidate(mention_id, position, qid, "Ada", "", "label", None)


@given(st.lists(NAME, min_size=1, max_size=6), st.lists(NAME, max_size=5))
def test_names_are_equal_or_not(names: list[str], forms: list[str]) -> None:
    entities = [Entity(f"Q{row}", name, "", ()) for row, name in enumerate(names)]
    scores = strings.exact_name([mention(form) for form in forms], entities)(slice(None))
    wanted = [[normalise_name(form) == normalise_name(name) for name in names] for form in forms]
    assert scores.tolist() == wanted


def bm25_ranks(
    queries: list[str], gold: list[int], entities: list[Entity]
) -> tuple[list[int], ...]:
    ranks = count_ranks(strings.bm25(queries, entities)(slice(None)), np.array(gold))
    return ranks.pessimistic.tolist(), ranks.optimistic.tolist()


def test_the_name_alone_ties_and_the_context_decides() -> None:
    found = bm25_ranks(["Ada", "Ada went to sea as a sailor."], [1, 1], KB)
    assert found == ([2, 1], [1, 1])


def test_unknown_words_tie_with_the_whole_knowledge_base() -> None:
    assert bm25_ranks(["Zoe", ""], [0, 2], KB) == ([3, 3], [1, 1])


@given(
    texts=st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=5),
    queries=st.lists(TEXT, min_size=1, max_size=4),
)
def test_scores_equal_those_of_the_formula(
    texts: list[tuple[str, str]], queries: list[str]
) -> None:
    entities = [Entity(f"Q{row}", *text, ()) for row, text in enumerate(texts)]
    documents = [f"{name} {attributes}" for name, attributes in texts]
    wanted = [
        [bm25_by_formula(documents, query, row, 0.9, 0.4) for row in range(len(documents))]
        for query in queries
    ]
    np.testing.assert_allclose(strings.bm25(queries, entities)(slice(None)), wanted, atol=1e-9)


def test_retrieval_is_one_answer_over_the_knowledge_base_and_an_order_among_the_candidates() -> (
    None
):
    mentions = [mention("Ada", id_) for id_ in ("right", "second", "elsewhere", "without")]
    found = [
        *(candidate("right", 1, "Q2"), candidate("right", 0, "Q1")),
        *(candidate("second", 0, "Q1"), candidate("second", 1, "Q2")),
        *(candidate("elsewhere", 0, "Q99"), candidate("elsewhere", 1, "Q3")),
        candidate("of another split", 0, "Q1"),
    ]
    lists = candidate_lists(mentions, found, {e.qid: i for i, e in enumerate(KB)})
    assert [each.tolist() for each in lists] == [[0, 1], [0, 1], [2], []]
    gold: NDArray[np.int64] = np.array([0, 1, 2, 2])
    systems = {
        "first candidate": strings.first_candidate(lists, len(KB)),
        RETRIEVAL_ORDER: strings.retrieval_order(lists, len(KB)),
    }
    ranks = ranks_of(systems, gold, lists)
    first, order = ranks["first candidate"], ranks[RETRIEVAL_ORDER]
    assert first.whole is not None
    assert first.whole.pessimistic.tolist() == [1, 3, 1, 3]
    assert first.whole.optimistic.tolist() == [1, 2, 1, 1]
    assert order.whole is None
    assert order.among is not None
    assert order.among.pessimistic.tolist() == [1, 2, 1, 3]
