"""A pen that draws outlined shapes in its own moved, turned and mirrored coordinates."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from PIL import ImageDraw

from tools.sample.drawing.palette import RGB, Ink

SIZE = 224  # pixels a side, what CLIP's image tower takes
OVERSAMPLING = 2
BOARD = SIZE * OVERSAMPLING  # pixels a side while drawing

Point = tuple[float, float]
Path = Sequence[Point]

_STEPS = 5  # points per piece of a smooth curve
_CIRCLE = [(math.cos(a * math.tau / 28), math.sin(a * math.tau / 28)) for a in range(28)]


def _spline_weights(t: float) -> tuple[float, float, float, float]:
    return (
        (-t + 2 * t**2 - t**3) / 2,
        (2 - 5 * t**2 + 3 * t**3) / 2,
        (t + 4 * t**2 - 3 * t**3) / 2,
        (t**3 - t**2) / 2,
    )


_WEIGHTS = [_spline_weights(step / _STEPS) for step in range(_STEPS)]


def smooth(points: Path, closed: bool) -> list[Point]:
    """A Catmull-Rom curve through the points."""
    count = len(points)
    curve: list[Point] = []
    for i in range(count if closed else count - 1):
        if closed:
            p, q, r, s = (points[(i + k) % count] for k in (-1, 0, 1, 2))
        else:
            p, q, r, s = (points[min(max(i + k, 0), count - 1)] for k in (-1, 0, 1, 2))
        for a, b, c, d in _WEIGHTS:
            curve.append(
                (
                    a * p[0] + b * q[0] + c * r[0] + d * s[0],
                    a * p[1] + b * q[1] + c * r[1] + d * s[1],
                )
            )
    return curve if closed else [*curve, points[-1]]


def reflected(points: Path) -> list[Point]:
    """A right half, from top to bottom, closed by its mirror image."""
    return [*points, *((-x, y) for x, y in reversed(points) if x)]


def along(parameter: Callable[[float], Point], count: int) -> list[Point]:
    """`count` points of a curve given over [0, 1]."""
    return [parameter(i / (count - 1)) for i in range(count)]


@dataclass(frozen=True)
class Place:
    """Where a pen's [-1, 1] x [-1, 1] lies on the board: centre and half side in board pixels."""

    x: float
    y: float
    half: float
    turn: float = 0.0  # degrees, clockwise
    mirrored: bool = False


class Pen:
    """Draws in [-1, 1] x [-1, 1], y downwards; outlines are as bold as the place allows.

    Args:
        board: the canvas, BOARD pixels a side.
        place: where the pen's square lies.
        ink: the colour of the thing and of its outlines.
        rng: what a drawing takes its variations from.
    """

    def __init__(
        self, board: ImageDraw.ImageDraw, place: Place, ink: Ink, rng: random.Random
    ) -> None:
        self.ink, self.rng, self.place = ink, rng, place
        self._board = board
        turn, flip = math.radians(place.turn), -1 if place.mirrored else 1
        cos, sin = place.half * math.cos(turn), place.half * math.sin(turn)
        self._matrix = (cos * flip, -sin, sin * flip, cos)
        self._width = max(4, round(2.6 + place.half / 64))

    def vary(self, value: float, share: float = 0.1) -> float:
        """`value`, up to `share` of it more or less."""
        return value * self.rng.uniform(1 - share, 1 + share)

    def poly(self, points: Path, fill: RGB, line: bool = True) -> None:
        """A filled polygon with sharp corners."""
        placed = self._placed(points)
        self._board.polygon(placed, fill=fill)
        if line:
            closed = [*placed, *placed[:2]]
            self._board.line(closed, fill=self.ink.line, width=self._width, joint="curve")

    def blob(self, points: Path, fill: RGB, line: bool = True) -> None:
        """A filled smooth shape through the points."""
        self._round(smooth(points, closed=True), fill, line)

    def oval(self, x: float, y: float, rx: float, ry: float, fill: RGB, line: bool = True) -> None:
        """A filled ellipse around (x, y)."""
        self._round([(x + rx * c, y + ry * s) for c, s in _CIRCLE], fill, line)

    def disc(self, x: float, y: float, radius: float, fill: RGB, line: bool = True) -> None:
        """A filled circle around (x, y)."""
        ((px, py),) = self._placed([(x, y)])
        r = radius * self.place.half
        width = min(self._width, int(r)) if line else 0
        self._board.ellipse(
            [px - r, py - r, px + r, py + r], fill=fill, outline=self.ink.line, width=width
        )

    def box(
        self, left: float, top: float, right: float, bottom: float, fill: RGB, line: bool = True
    ) -> None:
        """A filled rectangle."""
        self.poly([(left, top), (right, top), (right, bottom), (left, bottom)], fill, line)

    def stroke(self, points: Path, colour: RGB, width: float = 0.0, curved: bool = False) -> None:
        """A line through the points, `width` wide (0: as an outline), without an outline."""
        placed = self._placed(smooth(points, closed=False) if curved else points)
        pixels = max(3, round(width * self.place.half)) if width else self._width
        self._board.line(placed, fill=colour, width=pixels, joint=None if curved else "curve")

    def line(self, *points: Point, curved: bool = False) -> None:
        """A line in the colour of the outlines."""
        self.stroke(points, self.ink.line, curved=curved)

    def cord(self, points: Path, width: float, fill: RGB, tip: float | None = None) -> None:
        """A smooth outlined band with round ends: a tail, a leg, a snake.

        Args:
            points: what its middle runs through.
            width: its width at the first point.
            fill: its colour.
            tip: its width at the last point, the same as `width` unless given.
        """
        placed = self._placed(smooth(points, closed=False))
        last = width if tip is None else tip
        steps = len(placed) - 1
        widths = [self.place.half * (width + (last - width) * i / steps) for i in range(steps + 1)]
        for extra, colour in ((2 * self._width, self.ink.line), (0, fill)):
            for i, (x, y) in enumerate(placed):
                wide = widths[i] + extra
                half = (wide - 1) / 2  # an ellipse covers its last pixel, a line does not
                self._board.ellipse([x - half, y - half, x + half, y + half], fill=colour)
                if i:
                    ends = [placed[i - 1], (x, y)]
                    self._board.line(ends, fill=colour, width=round(wide))

    def _round(self, points: Path, fill: RGB, line: bool) -> None:
        placed = self._placed(points)
        self._board.polygon(placed, fill=fill)
        if line:
            closed = [*placed, *placed[:2]]
            self._board.line(closed, fill=self.ink.line, width=self._width)

    def _placed(self, points: Iterable[Point]) -> list[Point]:
        a, b, c, d = self._matrix
        left, top = self.place.x, self.place.y
        return [(left + a * x + b * y, top + c * x + d * y) for x, y in points]
