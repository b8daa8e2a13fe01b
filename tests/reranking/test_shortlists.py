"""Shortlists, and ranks by other scores on them, against sorting."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmoe.reranking.shortlists import make_shortlists


@settings(max_examples=50)
@given(st.integers(0, 10_000), st.integers(1, 5), st.integers(1, 8), st.integers(1, 12))
def test_ranks_equal_those_of_a_sorted_list(seed: int, mentions: int, n: int, depth: int) -> None:
    """Few different scores, so that many tie; a gold entity outside the list stands behind it."""
    draw = np.random.default_rng(seed)
    order, again = (draw.integers(0, 4, (mentions, n)).astype(np.float32) for _ in range(2))
    gold = draw.integers(0, n, mentions)
    found = make_shortlists(lambda rows: order[rows], gold, range(mentions), n, depth)
    lists = found.pairs.entities_BD
    assert lists.shape == (mentions, min(depth, n))
    ranks = found.reranked(np.take_along_axis(again, lists, axis=1))
    for m in range(mentions):
        wanted = sorted(range(n), key=lambda e: -order[m, e])[: lists.shape[1]]
        assert lists[m].tolist() == wanted
        whole = int((order[m] >= order[m, gold[m]]).sum())
        assert found.ranks.pessimistic[m] == whole
        if gold[m] in wanted:
            own = again[m, wanted]
            assert ranks.pessimistic[m] == (own >= again[m, gold[m]]).sum()
            assert ranks.optimistic[m] == 1 + (own > again[m, gold[m]]).sum()
        else:
            assert ranks.pessimistic[m] == max(whole, lists.shape[1] + 1)
    assert found.recall == pytest.approx(100 * np.mean(found.gold_M >= 0), abs=0.01)


def test_no_mention_has_no_rank() -> None:
    found = make_shortlists(lambda _: np.empty((0, 3)), np.empty(0, int), range(0), 3, 2)
    assert len(found.reranked(np.empty((0, 2)))) == 0
    assert found.recall == 0
