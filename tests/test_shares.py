"""Shares and their intervals."""

from __future__ import annotations

import pytest
from scipy import stats

from mmoe.shares import share_with_interval, wilson_interval


@pytest.mark.parametrize(("part", "whole"), [(0, 1), (1, 1), (0, 40), (17, 40), (3039, 3561)])
def test_the_interval_is_wilsons(part: int, whole: int) -> None:
    known = stats.binomtest(part, whole).proportion_ci(method="wilson")
    assert wilson_interval(part, whole) == pytest.approx((known.low, known.high), abs=1e-6)


def test_a_share_stands_beside_its_interval() -> None:
    low, high = wilson_interval(1, 4)
    assert share_with_interval("x", 1, 4) == {"x": 0.25, "x_low": low, "x_high": high}


def test_of_nothing_there_is_no_share() -> None:
    assert share_with_interval("x", 0, 0) == {"x": None, "x_low": None, "x_high": None}
