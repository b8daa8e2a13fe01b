"""A drawing board in the unit square: every shape lands a little elsewhere in every picture."""

from __future__ import annotations

import random
from collections.abc import Sequence

from PIL import Image, ImageColor, ImageDraw

SIZE = 224  # pixels a side, what CLIP's image tower takes

Colour = tuple[int, int, int]
Point = tuple[float, float]


def shade(colour: Colour, factor: float) -> Colour:
    """The colour darkened (factor < 1) or lightened towards white (factor > 1, at 2 it is white)."""
    if factor <= 1:
        red, green, blue = (round(part * factor) for part in colour)
    else:
        red, green, blue = (round(part + (255 - part) * (factor - 1)) for part in colour)
    return red, green, blue


class Sketch:
    """One picture in the making; points lie in [0, 1] x [0, 1], y grows downwards.

    Args:
        colour: #rrggbb, the main colour; each picture varies it a little.
        rng: where the shapes land, how large and how mirrored they are.
    """

    def __init__(self, colour: str, rng: random.Random) -> None:
        self.rng = rng
        red, green, blue = ImageColor.getrgb(colour)[:3]
        self.colour = shade((red, green, blue), rng.uniform(0.88, 1.12))
        tint = shade(
            (rng.randrange(90, 230), rng.randrange(110, 230), rng.randrange(120, 240)), 1.5
        )
        self.image = Image.new("RGB", (SIZE, SIZE), tint)
        self._draw = ImageDraw.Draw(self.image)
        self._scale = rng.uniform(0.78, 1.08)
        self._shift = (rng.uniform(-0.07, 0.07), rng.uniform(-0.07, 0.07))
        self._mirrored = rng.random() < 0.5

    def backdrop(self, colour: Colour, top: float = 0.0) -> None:
        """Fills the picture from height `top` down; is not moved with the shapes."""
        self._draw.rectangle([0, round(top * SIZE), SIZE, SIZE], fill=colour)

    def dots(self, number: int, colour: Colour) -> None:
        """Specks all over, as stars or waves."""
        for _ in range(number):
            x, y = self.rng.randrange(SIZE), self.rng.randrange(SIZE)
            self._draw.rectangle([x, y, x + 2, y + 1], fill=colour)

    def disc(self, x: float, y: float, radius: float, colour: Colour) -> None:
        """A filled circle."""
        self.oval(x, y, radius, radius, colour)

    def oval(self, x: float, y: float, width: float, height: float, colour: Colour) -> None:
        """A filled ellipse around (x, y) with half axes `width` and `height`."""
        centre_x, centre_y = self._place((x, y))
        half_x, half_y = (half * self._scale * SIZE for half in (width, height))
        self._draw.ellipse(
            [centre_x - half_x, centre_y - half_y, centre_x + half_x, centre_y + half_y],
            fill=colour,
        )

    def shape(self, points: Sequence[Point], colour: Colour) -> None:
        """A filled polygon."""
        self._draw.polygon([self._place(point) for point in points], fill=colour)

    def box(self, left: float, top: float, right: float, bottom: float, colour: Colour) -> None:
        """A filled rectangle."""
        self.shape([(left, top), (right, top), (right, bottom), (left, bottom)], colour)

    def stroke(self, points: Sequence[Point], width: float, colour: Colour) -> None:
        """A line through the points."""
        pixels = max(1, round(width * self._scale * SIZE))
        self._draw.line([self._place(p) for p in points], fill=colour, width=pixels, joint="curve")

    def _place(self, point: Point) -> Point:
        x = 1 - point[0] if self._mirrored else point[0]
        moved = [
            0.5 + (value - 0.5) * self._scale + shift
            for value, shift in zip((x, point[1]), self._shift, strict=True)
        ]
        return round(moved[0] * SIZE), round(moved[1] * SIZE)
