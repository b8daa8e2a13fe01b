"""Vectors as the cosine wants them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def unit_rows(values_NP: NDArray[np.floating]) -> NDArray[np.float32]:
    """Rows divided by their norm; a row of zeros stays, so that its cosine with anything is 0."""
    values = values_NP.astype(np.float32)
    norms = np.linalg.norm(values, axis=1, keepdims=True)
    unit: NDArray[np.float32] = np.divide(values, norms, out=np.zeros_like(values), where=norms > 0)
    return unit
