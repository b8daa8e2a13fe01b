"""The eight named colours, each a small region of hue, saturation and value, and their shades."""

from __future__ import annotations

import colorsys
import random
from dataclasses import dataclass

RGB = tuple[int, int, int]
Span = tuple[float, float]

WHITE, DARK, PALE = (252, 252, 250), (34, 36, 46), (226, 230, 242)
GLASS, LAMP, LEAF, BARK = (186, 220, 240), (252, 226, 120), (70, 146, 66), (118, 82, 50)
STEEL, STONE, COFFEE = (176, 180, 188), (206, 202, 194), (74, 44, 26)

# Hue in degrees, saturation and value in [0, 1]; neighbours keep a gap, so that no shade of one
# colour could be called another.
SPANS: dict[str, tuple[Span, Span, Span]] = {
    "red": ((-6, 4), (0.82, 0.95), (0.74, 0.90)),
    "orange": ((25, 33), (0.90, 1.00), (0.93, 1.00)),
    "yellow": ((49, 56), (0.80, 0.94), (0.93, 1.00)),
    "green": ((112, 142), (0.62, 0.82), (0.50, 0.70)),
    "blue": ((211, 229), (0.72, 0.90), (0.68, 0.90)),
    "purple": ((272, 290), (0.56, 0.76), (0.56, 0.78)),
    "brown": ((18, 27), (0.58, 0.72), (0.40, 0.52)),
    "grey": ((200, 240), (0.00, 0.04), (0.50, 0.66)),
}
COLOURS = tuple(SPANS)


@dataclass(frozen=True)
class Ink:
    """What one drawing is made with: its colour in three shades, and the colour of outlines."""

    main: RGB
    light: RGB
    dark: RGB
    line: RGB


def mix(colour: RGB, other: RGB, share: float) -> RGB:
    """`colour` with `share` (0 to 1) of `other` in it."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(colour, other, strict=True))
    return red, green, blue


def ink_of(name: str, line: RGB, rng: random.Random) -> Ink:
    """A shade of a named colour; takes three numbers from `rng`, whatever the colour is."""
    hue, saturation, value = (rng.uniform(*span) for span in SPANS[name])
    red, green, blue = colorsys.hsv_to_rgb(hue / 360 % 1, saturation, value)
    main = (round(255 * red), round(255 * green), round(255 * blue))
    return Ink(main, mix(main, WHITE, 0.34), mix(main, (0, 0, 0), 0.3), line)
