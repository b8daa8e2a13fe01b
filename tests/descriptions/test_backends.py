"""What each backend chooses, and what it writes about its choice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from mmoe.bm25 import tokens_of
from mmoe.descriptions import RankerResources, group_candidates, rank_mentions
from mmoe.descriptions.choice import Groups
from mmoe.errors import RankingError
from mmoe.records import Candidate, Description, Mention, TextInput

from tests.descriptions.rows import candidates, mention
from tests.test_bm25 import TEXT, bm25_by_formula

LETTERS = "abcd"


class Letters:
    """An encoder that counts letters of name and body; remembers what it was given."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, list[TextInput]]] = []

    def __call__(self, side: str, rows: Sequence[TextInput]) -> NDArray[np.floating[Any]]:
        self.seen.append((side, list(rows)))
        return np.array([count(f"{row.name} {row.body}") for row in rows], dtype=np.float16)


def count(text: str) -> list[int]:
    return [text.count(letter) for letter in LETTERS]


def rank_all(
    backend: str, mentions: Sequence[Mention], groups: Groups, seed: int = 1
) -> list[Description]:
    return rank_mentions(backend, mentions, groups, RankerResources(seed, dict, Letters))


def rank(backend: str, context: str, found: list[Candidate]) -> Description:
    """Ranks one mention, whose gold entity is Q2."""
    (record,) = rank_all(backend, [mention("m", context, "Q2")], {"m": found})
    return record


@pytest.mark.parametrize("backend", ["first", "lexical", "embedding", "random"])
def test_one_candidate_is_chosen_without_a_score(backend: str) -> None:
    record = rank(backend, "", candidates("m", "painter"))
    assert record == Description("m", "Q1", "painter", backend, None, 1, False)


@pytest.mark.parametrize(
    "backend", ["none", "first", "lexical", "embedding", "random", "oracle_candidate"]
)
def test_no_candidate_is_no_choice(backend: str) -> None:
    wanted = Description("m", None, None, backend, None, 0, None)
    assert rank(backend, "", []) == wanted
    assert rank_all(backend, [mention("m", "", "Q2")], {}) == [wanted]
    assert rank_all(backend, [], {}) == []


def test_a_nil_mention_has_no_right_choice() -> None:
    (record,) = rank_all("first", [mention("m")], {"m": candidates("m", "painter")})
    assert (record.qid, record.is_gold) == ("Q1", None)


@pytest.mark.parametrize("context", ["nothing in common", "", "a painter"])
def test_lexical_does_not_guess_where_nothing_tells_candidates_apart(context: str) -> None:
    record = rank("lexical", context, candidates("m", "painter", "the painter", "old painter"))
    assert record == Description("m", None, None, "lexical", None, 3, None)


CASES = st.lists(st.tuples(TEXT, st.lists(TEXT, max_size=4)), min_size=1, max_size=4)


@given(CASES)
def test_lexical_equals_scoring_every_candidate_alone(cases: list[tuple[str, list[str]]]) -> None:
    """The oracle counts over all different texts; the choice must reach the best score, first."""
    mentions = [mention(str(row), context) for row, (context, _) in enumerate(cases)]
    found = {str(row): candidates(str(row), *texts) for row, (_, texts) in enumerate(cases)}
    documents = list(dict.fromkeys(f"Ada {c.description}" for g in found.values() for c in g))
    for query, record in zip(mentions, rank_all("lexical", mentions, found), strict=True):
        group, asked = found[query.mention_id], f"{query.context} Ada"
        if len(group) < 2:
            assert record.score is None
            continue
        rows = [documents.index(f"Ada {c.description}") for c in group]
        words = [set(tokens_of(documents[row])) & set(tokens_of(asked)) for row in rows]
        if all(shared == words[0] for shared in words):
            assert (record.qid, record.score) == (None, None)
            continue
        scores = [bm25_by_formula(documents, asked, row, 0.9, 0.4) for row in rows]
        first = next(row for row, score in enumerate(scores) if score > max(scores) - 1e-9)
        assert record.qid == group[first].qid
        assert record.score == pytest.approx(scores[first])


def test_equal_candidates_are_embedded_once_and_the_first_wins() -> None:
    encoder = Letters()
    mentions = [mention("m", "a", surface_form="_"), mention("n", "b", surface_form="_")]
    found = {name: candidates(name, "c", "a", "a", label="_") for name in ("m", "n")}
    found["single"] = candidates("single", "d")
    resources = RankerResources(embedder=lambda: encoder)
    first, second, _ = rank_mentions("embedding", [*mentions, mention("single")], found, resources)
    assert (first.qid, second.qid) == ("Q2", "Q1")  # the second are all at a right angle
    assert [row.body for row in dict(encoder.seen)["candidate"]] == ["c", "a"]
    assert [row.id for row in dict(encoder.seen)["mention"]] == ["m", "n"]


TEXTS = st.text(LETTERS + " ", max_size=6)


@given(st.lists(st.tuples(TEXTS, st.lists(TEXTS, max_size=4)), max_size=4))
def test_embedding_equals_comparing_every_pair_alone(cases: list[tuple[str, list[str]]]) -> None:
    mentions = [mention(str(n), text, surface_form="_") for n, (text, _) in enumerate(cases)]
    found = {str(n): candidates(str(n), *texts, label="_") for n, (_, texts) in enumerate(cases)}
    records = rank_all("embedding", mentions, found)
    for (context, texts), record in zip(cases, records, strict=True):
        if len(texts) < 2:
            assert record.score is None
            continue
        cosines = [cosine(np.array(count(context)), np.array(count(text))) for text in texts]
        assert record.score == pytest.approx(max(cosines), abs=1e-3)
        assert cosines[int((record.qid or "Q0")[1:]) - 1] == pytest.approx(max(cosines), abs=1e-3)


def cosine(a: NDArray[np.int64], b: NDArray[np.int64]) -> float:
    norms = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / norms if norms else 0.0


def test_random_choices_are_even_and_depend_on_seed_and_mention_alone() -> None:
    mentions = [mention(f"m{number}") for number in range(900)]
    found = {m.mention_id: candidates(m.mention_id, "a", "b", "c") for m in mentions}
    records = rank_all("random", mentions, found)
    counts = Counter(record.qid for record in records)
    assert set(counts) == {"Q1", "Q2", "Q3"}
    assert min(counts.values()) > 250
    assert rank_all("random", mentions, found, seed=2) != records
    assert rank_all("random", mentions[::-1], found) == records[::-1]


def test_oracle_candidate_takes_gold_where_it_is_a_candidate_and_else_none() -> None:
    mentions = [mention("a", gold_qid="Q2"), mention("b", gold_qid="Q9"), mention("c")]
    found = {m.mention_id: candidates(m.mention_id, "x", "y") for m in mentions}
    assert rank_all("oracle_candidate", mentions, found) == [
        Description("a", "Q2", "y", "oracle_candidate", None, 2, True),
        Description("b", None, None, "oracle_candidate", None, 2, None),
        Description("c", None, None, "oracle_candidate", None, 2, None),
    ]


def test_oracle_description_looks_beyond_the_mentions_own_candidates() -> None:
    """Among those of other mentions first, as the same source words them; then in the knowledge base."""
    golds = {"own": "Q1", "others": "Q2", "base": "Q8", "nowhere": "Q9", "empty": "Q3", "nil": None}
    mentions = [mention(name, gold_qid=gold) for name, gold in golds.items()]
    known = {"Q1": "the base's words", "Q8": "from the base", "Q9": " ", "Q3": "painter"}
    resources = RankerResources(attributes=lambda: known)
    found = {"own": candidates("own", "x", "y", " ")}
    assert rank_mentions("oracle_description", mentions, found, resources) == [
        Description(name, gold, text, "oracle_description", None, num, True if gold else None)
        for (name, gold), text, num in zip(
            golds.items(),
            ["x", "y", "from the base", None, "painter", None],
            [3, 0, 0, 0, 0, 0],
            strict=True,
        )
    ]


def test_candidates_are_grouped_in_the_order_of_their_positions() -> None:
    rows = candidates("a", "x", "y", "z")
    groups = group_candidates([mention("a"), mention("b")], rows[::-1])
    assert groups == {"a": rows, "b": []}
    with pytest.raises(RankingError, match=r"candidate Q1 is of mention 'z'.*retrieve again"):
        group_candidates([mention("a")], candidates("z", "x"))


def test_given_takes_what_the_data_set_says_and_chooses_no_candidate() -> None:
    mentions = [replace(mention("a", gold_qid="Q1"), description="painter"), mention("b")]
    found = {"a": candidates("a", "sailor", "cook")}
    assert rank_all("given", mentions, found) == [
        Description("a", None, "painter", "given", None, 2, None),
        Description("b", None, None, "given", None, 0, None),
    ]
    assert rank_all("given", [], {}) == []
    with pytest.raises(RankingError, match=r"rank\.backend: the data set gives no mention a desc"):
        rank_all("given", [mention("a"), mention("b")], {})


def test_an_unknown_backend_is_named() -> None:
    with pytest.raises(RankingError, match="no backend 'oracle'; use one of none, first, lexical"):
        rank_all("oracle", [], {})
