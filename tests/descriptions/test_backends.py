"""What each backend chooses, and what it writes about its choice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mmoe.bm25 import tokens_of
from mmoe.config.backends import LOCAL_BACKENDS
from mmoe.config.rank import RankParams
from mmoe.descriptions import Ranker, RankerResources, group_candidates, make_ranker
from mmoe.descriptions.choice import describe_each
from mmoe.descriptions.registry import Groups
from mmoe.errors import RankingError
from mmoe.records import Candidate, Description, Mention, TextInput

from tests.descriptions.rows import candidates, mention
from tests.test_bm25 import TEXT, bm25_by_formula


def rank(backend: str, context: str, found: list[Candidate]) -> Description:
    """Ranks one mention, whose gold entity is Q2."""
    (record,) = make_ranker(backend).rank([mention("m", context, "Q2")], {"m": found})
    return record


@pytest.mark.parametrize("backend", ["first", "lexical"])
def test_one_candidate_is_chosen_without_a_score(backend: str) -> None:
    record = rank(backend, "", candidates("m", "painter"))
    assert record == Description("m", "Q1", "painter", backend, None, 1, False)


@pytest.mark.parametrize("backend", ["none", "first", "lexical"])
def test_no_candidate_is_no_choice(backend: str) -> None:
    wanted = Description("m", None, None, backend, None, 0, None)
    assert rank(backend, "", []) == wanted
    assert make_ranker(backend).rank([mention("m", "", "Q2")], {}) == [wanted]
    assert make_ranker(backend).rank([], {}) == []


def test_a_nil_mention_has_no_right_choice() -> None:
    (record,) = make_ranker("first").rank([mention("m")], {"m": candidates("m", "painter")})
    assert record.qid == "Q1"
    assert record.is_gold is None


@pytest.mark.parametrize("context", ["nothing in common", "", "a painter"])
def test_lexical_does_not_guess_where_nothing_tells_candidates_apart(context: str) -> None:
    record = rank("lexical", context, candidates("m", "painter", "the painter", "old painter"))
    assert record == Description("m", None, None, "lexical", None, 3, None)


CASES = st.lists(st.tuples(TEXT, st.lists(TEXT, max_size=4)), min_size=1, max_size=4)


@settings(deadline=None)
@given(CASES)
def test_lexical_equals_scoring_every_candidate_alone(cases: list[tuple[str, list[str]]]) -> None:
    """The oracle counts over all different texts; the choice must reach the best score, first."""
    mentions = [mention(str(row), context) for row, (context, _) in enumerate(cases)]
    found = {str(row): candidates(str(row), *texts) for row, (_, texts) in enumerate(cases)}
    texts = {f"Ada {c.description}": None for group in found.values() for c in group}
    documents = list(texts)
    for query, record in zip(mentions, make_ranker("lexical").rank(mentions, found), strict=True):
        group = found[query.mention_id]
        if len(group) < 2:
            assert record.score is None
            continue
        scores = [
            bm25_by_formula(
                documents, f"{query.context} Ada", documents.index(f"Ada {c.description}"), 0.9, 0.4
            )
            for c in group
        ]
        words = [set(tokens_of(f"Ada {c.description}")) for c in group]
        said = set(tokens_of(f"{query.context} Ada"))
        if all(said & each == said & words[0] for each in words):
            assert (record.qid, record.score) == (None, None)
            continue
        first = next(row for row, score in enumerate(scores) if score > max(scores) - 1e-9)
        assert record.qid == group[first].qid
        assert record.score == pytest.approx(scores[first])


def test_candidates_are_grouped_in_the_order_of_their_positions() -> None:
    rows = candidates("a", "x", "y", "z")
    groups = group_candidates([mention("a"), mention("b")], rows[::-1])
    assert groups == {"a": rows, "b": []}


def test_a_candidate_of_another_data_set_is_refused() -> None:
    with pytest.raises(RankingError, match=r"candidate Q1 is of mention 'z'.*retrieve again"):
        group_candidates([mention("a")], candidates("z", "x"))


def test_given_takes_what_the_data_set_says_and_chooses_no_candidate() -> None:
    mentions = [replace(mention("a", gold_qid="Q1"), description="painter"), mention("b")]
    found = {"a": candidates("a", "sailor", "cook")}
    assert make_ranker("given").rank(mentions, found) == [
        Description("a", None, "painter", "given", None, 2, None),
        Description("b", None, None, "given", None, 0, None),
    ]
    assert make_ranker("given").rank([], {}) == []


def test_given_wants_a_data_set_with_descriptions() -> None:
    with pytest.raises(
        RankingError,
        match=r"rank\.backend: the data set gives no mention a desc.*; use none, first",
    ):
        make_ranker("given").rank([mention("a"), mention("b")], {})


def test_an_unknown_backend_is_named() -> None:
    with pytest.raises(
        RankingError, match="no backend 'oracle'; use one of none, first, lexical, embedding"
    ):
        make_ranker("oracle")


@pytest.mark.parametrize("backend", [name for name in LOCAL_BACKENDS if name != "given"])
def test_every_backend_writes_its_name(backend: str) -> None:
    def no_encoder(side: str, rows: Sequence[TextInput]) -> NDArray[np.floating[Any]]:
        return np.ones((len(rows), 2))

    resources = RankerResources(seed=1, attributes=dict, embedder=lambda: no_encoder)
    found = {"m": candidates("m", "painter", "sailor")}
    (record,) = make_ranker(backend, resources).rank([mention("m", "A sailor.", "Q2")], found)
    assert record.backend == backend
    assert record.num_candidates == 2


class Shortest(Ranker):
    """A backend of a test's own."""

    def rank(self, mentions: Sequence[Mention], candidates_by_mention: Groups) -> list[Description]:
        return describe_each(
            mentions,
            candidates_by_mention,
            "shortest",
            lambda _, group: min(group, key=lambda candidate: len(candidate.description)),
        )


def test_a_new_backend_is_a_class_and_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(LOCAL_BACKENDS, "shortest", f"{__name__}:Shortest")
    assert RankParams(backend="shortest").backend == "shortest"
    record = rank("shortest", "", candidates("m", "painter", "cook"))
    assert (record.qid, record.backend) == ("Q2", "shortest")
