"""What the towers read of a side: centred vectors beside each other, nothing where one is absent."""

from __future__ import annotations

import numpy as np

from mmoe.baselines.cosine import Vectors
from mmoe.reranking.families import standardised

draw = np.random.default_rng(1)


def test_vectors_stand_beside_each_other_with_a_mean_square_of_one() -> None:
    wide, narrow = (Vectors(draw.normal(3, size=(50, width))) for width in (8, 4))
    found = standardised([wide, narrow], None)
    assert found.shape == (50, 12)
    np.testing.assert_allclose((found**2).mean(axis=1), 1, rtol=1e-5)


def test_what_is_absent_is_zero_and_moves_no_mean() -> None:
    present = np.arange(50) % 5 > 0
    values = draw.normal(3, size=(50, 8))
    found = standardised([Vectors(values, present)], None)
    assert not found[~present].any()
    alone = standardised([Vectors(values[present])], None)
    np.testing.assert_allclose(found[present], alone, rtol=1e-5)


def test_the_mean_is_that_of_typical_rows() -> None:
    values = draw.normal(3, size=(50, 8))
    found = standardised([Vectors(values)], np.arange(10))
    unit = values / np.linalg.norm(values, axis=1, keepdims=True)
    centred = unit - unit[:10].mean(axis=0)
    wanted = centred / np.linalg.norm(centred, axis=1, keepdims=True) * np.sqrt(8)
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)
