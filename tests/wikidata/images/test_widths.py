"""The widths that Commons serves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmoe.errors import WikidataError
from mmoe.wikidata.images.infos import WIDTHS, check_width, width_within


def test_every_width_that_is_served_passes() -> None:
    for width in WIDTHS:
        check_width(width)


@pytest.mark.parametrize("width", [-1, 0, 19, 200, 300, 331, 4000])
def test_another_width_is_refused_with_the_list(width: int) -> None:
    with pytest.raises(
        WikidataError,
        match=f"--width {width}: .*; choose one of 20, 40, 60, 120, 250, 330, 500, 960, 1280, 1920, 3840$",
    ):
        check_width(width)


@given(wanted=st.sampled_from(WIDTHS), original=st.integers(0, 5000))
def test_the_width_within_is_the_largest_that_neither_limit_forbids(
    wanted: int, original: int
) -> None:
    found = width_within(wanted, original)
    allowed = [width for width in WIDTHS if width <= wanted and width <= original]
    assert found == (allowed[-1] if allowed else None)
