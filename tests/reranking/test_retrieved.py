"""What retrieval says of a pair, against a table made by hand."""

from __future__ import annotations

import math

import numpy as np

from mmoe.reranking.pairs import Pairs
from mmoe.reranking.retrieved import Retrieved, RetrievedFeatures

NAN = math.nan


def test_retrieved_order_choice_and_popularity_of_each_pair() -> None:
    found = Retrieved([np.array([2, 0]), np.array([], dtype=np.int64)], {0: 2}, {2: 7})
    family = RetrievedFeatures(found, 3)
    values = family.of(Pairs(np.array([0, 1]), np.array([[0, 1, 2], [0, 1, 2]])))
    first = [[1, 1 / 2, 0, NAN], [0, 0, 0, NAN], [1, 1, 1, math.log(8)]]
    second = [[0, 0, 0, NAN]] * 3  # its popularity is known from another mention only
    np.testing.assert_allclose(values, [first, second], rtol=1e-6)
    assert len(family.names) == values.shape[-1]
