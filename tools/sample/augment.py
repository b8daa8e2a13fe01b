"""Drawings altered for training: shifted, cropped, brightened, with noise; the files stay clean."""

from __future__ import annotations

import random

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]

MOST_SHIFT = 12  # pixels
LEAST_CROP = 0.85  # of a side
CROPPED_SHARE = 0.3
NOISE_LENGTH = 1 << 21


class Noise:
    """Gaussian noise, drawn once and read from another place each time: drawing it anew is slow."""

    def __init__(self, seed: int = 0) -> None:
        values = np.random.default_rng(seed).standard_normal(NOISE_LENGTH, dtype=np.float32)
        self.values = values

    def cut(self, number: int, rng: random.Random) -> NDArray[np.float32]:
        """`number` values of variance one."""
        start = rng.randrange(len(self.values) - number + 1)
        return self.values[start : start + number]


def altered(pixels_HWC: Pixels, noise: Noise, rng: random.Random) -> Pixels:
    """Another look at the same drawing."""
    moved = _cropped(pixels_HWC, rng) if rng.random() < CROPPED_SHARE else _shifted(pixels_HWC, rng)
    gain, lift = rng.uniform(0.85, 1.15), rng.uniform(-12, 12)
    values = moved.astype(np.float32)
    values *= gain
    values += lift
    strength = rng.choice((0.0, rng.uniform(0, 10)))
    if strength:
        values += (noise.cut(values.size, rng) * np.float32(strength)).reshape(values.shape)
    return np.clip(values, 0, 255, out=values).astype(np.uint8)


def _shifted(pixels_HWC: Pixels, rng: random.Random) -> Pixels:
    """Moved by some pixels; the edge is repeated."""
    height, width = pixels_HWC.shape[:2]
    top, left = rng.randint(0, 2 * MOST_SHIFT), rng.randint(0, 2 * MOST_SHIFT)
    margins = ((MOST_SHIFT, MOST_SHIFT), (MOST_SHIFT, MOST_SHIFT), (0, 0))
    padded = np.pad(pixels_HWC, margins, mode="edge")
    return padded[top : top + height, left : left + width]


def _cropped(pixels_HWC: Pixels, rng: random.Random) -> Pixels:
    """A part of the drawing at full size."""
    height, width = pixels_HWC.shape[:2]
    share = rng.uniform(LEAST_CROP, 1.0)
    left, top = rng.uniform(0, (1 - share) * width), rng.uniform(0, (1 - share) * height)
    box = (left, top, left + share * width, top + share * height)
    image = Image.fromarray(pixels_HWC)
    return np.asarray(image.resize((width, height), Image.Resampling.BILINEAR, box=box))
