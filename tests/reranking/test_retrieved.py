"""What retrieval says of a pair, against a table made by hand."""

from __future__ import annotations

import math

import numpy as np

from mmoe.reranking.pairs import Pairs
from mmoe.reranking.retrieved import RetrievedFeatures

NAN = math.nan


def test_retrieved_order_choice_and_popularity_of_each_pair() -> None:
    family = RetrievedFeatures([np.array([2, 0]), np.array([], dtype=np.int64)], {0: 2}, {2: 7}, 3)
    found = family.of(Pairs(np.array([0, 1]), np.array([[0, 1, 2], [0, 1, 2]])))
    first = [[1, 1 / 2, 0, NAN], [0, 0, 0, NAN], [1, 1, 1, math.log(8)]]
    second = [[0, 0, 0, NAN]] * 3  # its popularity is known from another mention only
    np.testing.assert_allclose(found, [first, second], rtol=1e-6)
    assert len(family.names) == found.shape[-1]
