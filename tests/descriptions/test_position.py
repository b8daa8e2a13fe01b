"""Where chosen candidates stand: even choices look even, a preference shows, with questions of any size."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmoe.descriptions.position import FIRST, THIRDS, position_bias

SIZES = st.lists(st.integers(2, 30), min_size=1, max_size=200)


def even(sizes: list[int], seed: int) -> list[tuple[int, int]]:
    """Choices of a model to which places mean nothing."""
    draw = random.Random(seed)  # noqa: S311 - no secret
    return [(draw.randint(1, size), size) for size in sizes]


def test_nothing_or_little_chosen_says_nothing() -> None:
    found = position_bias([])
    assert (found.choices, found.chosen, found.unbiased, found.p_value) == (0, {}, {}, None)
    assert found.in_words() == "no candidate was chosen"
    few = position_bias([(1, 9)] * 19)
    assert few.p_value is None
    assert "too few to tell" in few.in_words()
    assert position_bias([(1, 9)] * 20).p_value is not None


@given(SIZES, st.integers(0, 99))
def test_shares_are_shares_whatever_the_order_of_choices(sizes: list[int], seed: int) -> None:
    choices = even(sizes, seed)
    found = position_bias(choices)
    assert found.choices == len(sizes)
    for shares in (found.chosen, found.unbiased):
        assert sum(shares[third] for third in THIRDS) == pytest.approx(1)
        assert 0 <= shares[FIRST] <= shares[THIRDS[0]] + 1e-9
    assert found.unbiased[FIRST] == pytest.approx(np.mean([1 / size for size in sizes]))
    assert found.unbiased[THIRDS[0]] == pytest.approx(found.unbiased[THIRDS[2]])
    assert found.p_value is None or 0 <= found.p_value <= 1
    random.Random(seed).shuffle(choices)  # noqa: S311 - no secret
    assert position_bias(choices) == found


@settings(max_examples=25)
@given(st.lists(st.integers(2, 30), min_size=150, max_size=300), st.booleans())
def test_always_the_first_or_the_last_is_no_chance(sizes: list[int], is_first: bool) -> None:
    found = position_bias([(1 if is_first else size, size) for size in sizes])
    assert found.p_value is not None
    assert found.p_value < 1e-12
    assert found.chosen[THIRDS[0 if is_first else 2]] == pytest.approx(1)
    assert found.chosen[FIRST] == is_first


def test_even_choices_are_called_uneven_as_often_as_the_p_value_says() -> None:
    """800 runs with sizes 2 to 20: p is below 0.1 in 10 % of them, 4 standard deviations are 4.2 %."""
    draw = random.Random(7)  # noqa: S311 - no secret
    sizes = [draw.randint(2, 20) for _ in range(200)]
    values = [position_bias(even(sizes, seed)).p_value or 0.0 for seed in range(800)]
    assert abs(sum(value < 0.1 for value in values) / 800 - 0.1) < 0.042
    assert abs(sum(value < 0.5 for value in values) / 800 - 0.5) < 0.071
