"""Token features in half the space: each vector as 8-bit integers and the scale that they are multiples of.

A vector of C numbers takes C + 2 bytes: its scale, a little-endian float16, and C signed integers up to 127.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SCALE_BYTES = 2
LARGEST = 127


def to_int8(tokens_TC: NDArray[np.float16]) -> NDArray[np.uint8]:
    """The bytes [T, C + 2] of some vectors; `mmoe.features.tokens.from_int8` is the way back."""
    values = tokens_TC.astype(np.float32)
    largest_T1 = np.abs(values).max(axis=1, keepdims=True, initial=0)
    scale_T1 = (largest_T1 / LARGEST).astype("<f2")
    # A scale that is rounded down would clip the largest number, one that is rounded to 0 lose the vector.
    too_small = scale_T1.astype(np.float32) * LARGEST < largest_T1
    scale_T1[too_small] = np.nextafter(scale_T1[too_small], np.float16(np.inf))
    safe_T1 = np.where(scale_T1 > 0, scale_T1, 1).astype(np.float32)
    steps_TC = np.rint(values / safe_T1).astype(np.int8)
    return np.concatenate([scale_T1.view(np.uint8), steps_TC.view(np.uint8)], axis=1)
