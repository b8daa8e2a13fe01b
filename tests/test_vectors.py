"""Vectors of length one."""

from __future__ import annotations

import numpy as np
import pytest

from mmoe.vectors import unit_rows


def test_rows_get_length_one_and_zeros_stay() -> None:
    rows = np.array([[3, 4], [0, 0], [-2, 0]], dtype=np.float16)
    unit = unit_rows(rows)
    assert unit.dtype == np.float32
    assert unit.tolist() == pytest.approx(np.array([[0.6, 0.8], [0, 0], [-1, 0]]))


def test_no_row_is_no_trouble() -> None:
    assert unit_rows(np.zeros((0, 3))).shape == (0, 3)
