"""Randomness of a training run: every draw is a function of (seed, what it is for, epoch or step)."""

from __future__ import annotations

from enum import IntEnum

import numpy as np


class Stream(IntEnum):
    """What random numbers are for; each has a stream of its own."""

    ORDER = 0
    NEGATIVES = 1
    FRACTION = 2
    CALIBRATION = 3
    DROPOUT = 4
    HELD_OUT = 5


def generator(seed: int, stream: Stream, number: int = 0) -> np.random.Generator:
    """One stream's generator for an epoch or a step."""
    return np.random.default_rng([seed, stream, number])
