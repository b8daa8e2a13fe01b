"""Vectors as the cosine wants them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def unit_rows(values_NP: NDArray[np.floating]) -> NDArray[np.float32]:
    """Rows divided by their norm; a row of zeros stays, so that its cosine with anything is 0."""
    unit: NDArray[np.float32] = values_NP.astype(np.float32)
    norms_N = np.sqrt(np.einsum("np,np->n", unit, unit))
    unit /= np.where(norms_N > 0, norms_N, 1)[:, None]
    return unit
