"""Ranks by counting equal ranks by sorting; ties count against and for the gold entity."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from mmoe.evaluation.ranks import Ranks, count_ranks, count_ranks_among


@st.composite
def scored_mentions(draw: st.DrawFn) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Integer-valued scores in a narrow range, so that ties are many."""
    num_mentions, num_entities = draw(st.integers(1, 5)), draw(st.integers(1, 9))
    row = st.lists(st.integers(-3, 3), min_size=num_entities, max_size=num_entities)
    scores = draw(st.lists(row, min_size=num_mentions, max_size=num_mentions))
    gold = [draw(st.integers(0, num_entities - 1)) for _ in scores]
    return np.array(scores, dtype=np.float64), np.array(gold, dtype=np.int64)


def ranks_by_sorting(scores: list[float], gold: int) -> tuple[int, int]:
    """Sorts twice: once with the gold entity after all that tie with it, once before them."""
    entities = range(len(scores))
    last = sorted(entities, key=lambda entity: (-scores[entity], entity == gold))
    first = sorted(entities, key=lambda entity: (-scores[entity], entity != gold))
    return last.index(gold) + 1, first.index(gold) + 1


@given(scored_mentions())
def test_counting_equals_sorting(case: tuple[NDArray[np.float64], NDArray[np.int64]]) -> None:
    scores, gold = case
    ranks = count_ranks(scores, gold)
    wanted = [ranks_by_sorting(list(row), int(g)) for row, g in zip(scores, gold, strict=True)]
    assert list(zip(ranks.pessimistic.tolist(), ranks.optimistic.tolist(), strict=True)) == wanted


@given(scored_mentions(), st.data())
def test_among_candidates_others_cannot_be_an_answer(
    case: tuple[NDArray[np.float64], NDArray[np.int64]], data: st.DataObject
) -> None:
    scores, gold = case
    num_entities = scores.shape[1]
    every = st.lists(st.integers(0, num_entities - 1), unique=True)
    candidates = [np.array(data.draw(every), dtype=np.int64) for _ in gold]
    found = count_ranks_among(scores, gold, candidates)
    for i, own in enumerate(candidates):
        wanted = (num_entities, 1 + len(own))
        if gold[i] in own:
            wanted = ranks_by_sorting(list(scores[i, own]), own.tolist().index(gold[i]))
        assert (found.pessimistic[i], found.optimistic[i]) == wanted


def test_ranks_are_joined_in_order() -> None:
    parts = [Ranks(np.array([2, 3]), np.array([1, 1])), Ranks(np.array([5]), np.array([4]))]
    joined = Ranks.joined(parts)
    assert (joined.pessimistic.tolist(), joined.optimistic.tolist()) == ([2, 3, 5], [1, 1, 4])
    assert len(Ranks.joined([])) == 0


@pytest.mark.parametrize("gold", [0.0, 1e-9, -7e-8, 100.0])
def test_ties_reach_as_far_for_every_entity_of_a_mention(gold: float) -> None:
    # The largest |score| is 100: what differs by less than 0.001 ties, also around zero.
    scores = np.array([[gold, gold + 0.0009, gold - 0.0009, gold + 0.002, -100.0]])
    ranks = count_ranks(scores, np.array([0]))
    assert (ranks.pessimistic[0], ranks.optimistic[0]) == (4, 2)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_score_without_value_is_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="must be finite"):
        count_ranks(np.array([[1.0, bad]]), np.array([0]))
