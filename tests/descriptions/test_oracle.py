"""The random choice, and the two backends that read the answer."""

from __future__ import annotations

from collections import Counter

import pytest

from mmoe.descriptions.plain import OracleCandidate, OracleDescription, RandomCandidate
from mmoe.descriptions.registry import RankerResources
from mmoe.records import Description

from tests.descriptions.rows import candidates, mention


def test_random_choices_are_even_and_differ_by_seed() -> None:
    mentions = [mention(f"m{number}") for number in range(900)]
    found = {m.mention_id: candidates(m.mention_id, "a", "b", "c") for m in mentions}
    chosen = [
        record.qid for record in RandomCandidate(RankerResources(seed=1)).rank(mentions, found)
    ]
    counts = Counter(chosen)
    assert set(counts) == {"Q1", "Q2", "Q3"}
    assert min(counts.values()) > 250
    assert chosen != [
        record.qid for record in RandomCandidate(RankerResources(seed=2)).rank(mentions, found)
    ]


def test_a_random_choice_depends_on_the_mention_alone() -> None:
    mentions = [mention("a"), mention("b"), mention("c")]
    found = {m.mention_id: candidates(m.mention_id, *"vwxyz") for m in mentions}
    ranker = RandomCandidate(RankerResources(seed=7))
    alone = [ranker.rank([m], found)[0] for m in mentions]
    assert ranker.rank(mentions, found) == alone
    assert ranker.rank(mentions[::-1], found) == alone[::-1]


def test_perfect_takes_gold_where_it_is_a_candidate_and_else_none() -> None:
    mentions = [mention("a", gold_qid="Q2"), mention("b", gold_qid="Q9"), mention("c")]
    found = {m.mention_id: candidates(m.mention_id, "x", "y") for m in mentions}
    assert OracleCandidate().rank(mentions, found) == [
        Description("a", "Q2", "y", "oracle_candidate", None, 2, True),
        Description("b", None, None, "oracle_candidate", None, 2, None),
        Description("c", None, None, "oracle_candidate", None, 2, None),
    ]


def test_gold_looks_beyond_the_mentions_own_candidates() -> None:
    """Among those of other mentions first, as the same source words them; then in the knowledge base."""
    mentions = [
        mention("own", gold_qid="Q1"),
        mention("others", gold_qid="Q2"),
        mention("base", gold_qid="Q8"),
        mention("nowhere", gold_qid="Q9"),
        mention("nil"),
    ]
    found = {"own": candidates("own", "x", "y")}
    ranker = OracleDescription(
        RankerResources(
            attributes=lambda: {"Q1": "the base's words", "Q8": "from the base", "Q9": " "}
        )
    )
    records = ranker.rank(mentions, found)
    texts = ["x", "y", "from the base", None, None]
    assert [record.description for record in records] == texts
    assert [record.qid for record in records] == ["Q1", "Q2", "Q8", "Q9", None]
    assert [record.is_gold for record in records] == [True, True, True, True, None]
    assert [record.num_candidates for record in records] == [2, 0, 0, 0, 0]


def test_an_empty_description_is_not_preferred_to_the_knowledge_bases() -> None:
    found = {"m": candidates("m", " ")}
    (record,) = OracleDescription(RankerResources(attributes=lambda: {"Q1": "painter"})).rank(
        [mention("m", gold_qid="Q1")], found
    )
    assert record.description == "painter"


@pytest.mark.parametrize("ranker", [RandomCandidate(RankerResources(seed=1)), OracleCandidate()])
def test_no_candidate_is_no_choice(ranker: RandomCandidate | OracleCandidate) -> None:
    (record,) = ranker.rank([mention("m", gold_qid="Q1")], {})
    assert (record.qid, record.description, record.num_candidates) == (None, None, 0)
    assert ranker.rank([], {}) == []
