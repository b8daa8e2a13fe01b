"""Ranks by counting equal ranks by sorting; ties count against and for the gold entity."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from mmoe.evaluation.ranks import Ranks, count_ranks


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


@given(scored_mentions())
def test_a_batch_of_one_equals_its_row(
    case: tuple[NDArray[np.float64], NDArray[np.int64]],
) -> None:
    scores, gold = case
    together = count_ranks(scores, gold)
    for row in range(len(gold)):
        alone = count_ranks(scores[row : row + 1], gold[row : row + 1])
        assert alone.pessimistic[0] == together.pessimistic[row]
        assert alone.optimistic[0] == together.optimistic[row]


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(("other", "is_tie"), [(1.000005, True), (1.00002, False)])
def test_ties_reach_one_part_in_a_hundred_thousand(sign: int, other: float, is_tie: bool) -> None:
    scores = 100 * sign * np.array([[1.0, other]])
    ranks = count_ranks(scores, np.array([0]))
    above = sign > 0
    assert ranks.pessimistic[0] == (2 if is_tie or above else 1)
    assert ranks.optimistic[0] == (2 if above and not is_tie else 1)


def test_ranks_are_int64_and_know_their_number() -> None:
    ranks = count_ranks(np.zeros((3, 4), dtype=np.float32), np.array([0, 1, 2]))
    assert ranks.pessimistic.dtype == ranks.optimistic.dtype == np.int64
    assert len(ranks) == 3
    assert ranks.pessimistic.tolist() == [4, 4, 4]
    assert ranks.optimistic.tolist() == [1, 1, 1]


def test_no_mention_has_no_rank() -> None:
    ranks = count_ranks(np.zeros((0, 4)), np.zeros(0, dtype=np.int64))
    assert isinstance(ranks, Ranks)
    assert len(ranks) == 0


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_score_without_value_is_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="must be finite"):
        count_ranks(np.array([[1.0, bad]]), np.array([0]))
