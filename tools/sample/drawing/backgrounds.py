"""What lies behind the things: eight backgrounds, their ground, and a little clutter."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from PIL import ImageDraw

from tools.sample.drawing.palette import DARK, PALE, RGB, WHITE, mix
from tools.sample.drawing.pen import BOARD, Point, smooth

_SKY, _GRASS, _SAND, _SEA = (176, 216, 242), (142, 196, 112), (236, 212, 158), (96, 164, 206)


@dataclass(frozen=True)
class Surroundings:
    """What a drawing must know of its background: the colours of outlines and of bare ground."""

    line: RGB
    land: RGB


class Backdrop:
    """Paints backgrounds over the whole board; positions are shares of its side."""

    def __init__(self, board: ImageDraw.ImageDraw, rng: random.Random) -> None:
        self.board, self.rng = board, rng

    def band(self, top: float, bottom: float, colour: RGB) -> None:
        """A strip from `top` down to `bottom`, as wide as the board."""
        self.board.rectangle([0, top * BOARD, BOARD, bottom * BOARD], fill=colour)

    def disc(self, x: float, y: float, radius: float, colour: RGB) -> None:
        """A circle without an outline."""
        left, top, r = x * BOARD, y * BOARD, radius * BOARD
        self.board.ellipse([left - r, top - r, left + r, top + r], fill=colour)

    def hill(self, height: float, wave: float, colour: RGB) -> None:
        """Ground from about `height` down, with a soft upper edge that moves by `wave`."""
        edge = [(x / 4, height + self.rng.uniform(-wave, wave)) for x in range(-1, 6)]
        curve = [(-0.5, 1.1), *smooth(edge, closed=False), (1.5, 1.1)]
        self.board.polygon([(x * BOARD, y * BOARD) for x, y in curve], fill=colour)

    def stroke(self, points: list[Point], colour: RGB, width: int) -> None:
        """A thin line, `width` board pixels wide."""
        self.board.line([(x * BOARD, y * BOARD) for x, y in points], fill=colour, width=width)

    def tint(self, colour: RGB, other: RGB = WHITE, most: float = 0.25) -> RGB:
        """`colour` with a random share of `other`."""
        return mix(colour, other, self.rng.uniform(0, most))


def _plain(b: Backdrop) -> None:
    pastels = ((226, 222, 232), (232, 224, 214), (216, 228, 226), (228, 232, 214), (232, 218, 218))
    b.band(0, 1, b.tint(b.rng.choice(pastels)))


def _sky(b: Backdrop) -> None:
    b.band(0, 1, b.tint(_SKY))
    x, y = b.rng.choice((0.12, 0.88)) + b.rng.uniform(-0.05, 0.05), b.rng.uniform(0.08, 0.2)
    b.disc(x, y, 0.13, (250, 236, 176))
    b.disc(x, y, 0.085, (255, 222, 104))
    for _ in range(b.rng.randint(0, 3)):
        x, y = b.rng.uniform(0.1, 0.9), b.rng.uniform(0.05, 0.95)
        wings = [(x - 0.03, y - 0.015), (x, y), (x + 0.03, y - 0.015)]
        b.stroke(wings, (110, 130, 150), 3)


def _clouds(b: Backdrop) -> None:
    b.band(0, 1, b.tint((150, 188, 222), (196, 204, 214), 0.7))
    for place in b.rng.sample([(x, y) for x in (0.1, 0.5, 0.9) for y in (0.1, 0.42, 0.88)], 5):
        x, y = (value + b.rng.uniform(-0.08, 0.08) for value in place)
        size, white = b.rng.uniform(0.055, 0.085), b.tint(WHITE, PALE, 0.8)
        for dx, dy, part in ((-1.3, 0.2, 0.8), (0, -0.3, 1.15), (1.3, 0.2, 0.85), (0, 0.3, 0.8)):
            b.disc(x + dx * size, y + dy * size, part * size, white)


def _grass(b: Backdrop) -> None:
    b.band(0, 1, b.tint((214, 236, 246)))
    b.hill(b.rng.uniform(0.4, 0.5), 0.04, b.tint((166, 210, 138)))
    meadow = b.tint(_GRASS)
    b.hill(b.rng.uniform(0.52, 0.64), 0.05, meadow)
    blade = mix(meadow, (40, 90, 30), 0.4)
    for _ in range(14):
        x, y = b.rng.random(), b.rng.uniform(0.72, 0.98)
        b.stroke([(x - 0.015, y - 0.03), (x, y), (x + 0.015, y - 0.03)], blade, 3)


def _sand(b: Backdrop) -> None:
    b.band(0, 1, b.tint((250, 238, 214)))
    b.hill(b.rng.uniform(0.38, 0.48), 0.07, b.tint((244, 224, 178)))
    dune = b.tint(_SAND)
    b.hill(b.rng.uniform(0.54, 0.66), 0.07, dune)
    for _ in range(6):
        x, y, wide = b.rng.random(), b.rng.uniform(0.74, 0.97), b.rng.uniform(0.04, 0.09)
        ripple: list[Point] = [(x - wide, y), (x, y - 0.012), (x + wide, y)]
        b.stroke(smooth(ripple, closed=False), mix(dune, (150, 104, 50), 0.35), 3)


def _night(b: Backdrop) -> None:
    sky = b.tint((16, 20, 48), (30, 18, 56), 1.0)
    b.band(0, 1, sky)
    for _ in range(26):
        b.disc(b.rng.random(), b.rng.random(), b.rng.choice((0.004, 0.006, 0.009)), PALE)
    x, y = b.rng.choice((0.12, 0.88)) + b.rng.uniform(-0.04, 0.04), b.rng.uniform(0.1, 0.2)
    b.disc(x, y, 0.075, (244, 236, 196))
    b.disc(x + b.rng.choice((-0.035, 0.035)), y - 0.015, 0.065, sky)


def _sea(b: Backdrop) -> None:
    b.band(0, 1, b.tint((222, 236, 240), (252, 232, 212), 0.8))
    horizon, water = b.rng.uniform(0.24, 0.33), b.tint(_SEA)
    b.band(horizon, 1, water)
    b.band(0.78 + b.rng.uniform(-0.04, 0.04), 1, mix(water, (20, 60, 110), 0.22))
    for _ in range(13):
        x, y = b.rng.random(), b.rng.uniform(horizon + 0.04, 0.97)
        crest: list[Point] = [(x - 0.05, y), (x - 0.025, y - 0.018), (x, y), (x + 0.025, y - 0.018)]
        b.stroke(smooth([*crest, (x + 0.05, y)], closed=False), mix(water, WHITE, 0.6), 4)


def _paper(b: Backdrop) -> None:
    b.band(0, 1, b.tint(WHITE, (248, 244, 232), 1.0))
    rules, start = b.rng.choice((10, 12, 14)), b.rng.uniform(0.02, 0.06)
    for rule in range(rules):
        y = start + rule / rules
        b.stroke([(0, y), (1, y)], (138, 172, 216), 5)
    margin = b.rng.uniform(0.07, 0.12)
    margin = b.rng.choice((margin, 1 - margin))
    b.stroke([(margin, 0), (margin, 1)], (228, 110, 110), 6)


_PAINTERS: dict[str, Callable[[Backdrop], None]] = {
    "plain": _plain,
    "sky": _sky,
    "clouds": _clouds,
    "grass": _grass,
    "sand": _sand,
    "night": _night,
    "sea": _sea,
    "paper": _paper,
}
BACKGROUNDS = tuple(_PAINTERS)
_LAND: dict[str, RGB] = {
    "grass": (150, 200, 120),
    "sand": _SAND,
    "night": (40, 58, 62),
    "sea": (228, 216, 172),
    "paper": (240, 238, 222),
    "plain": (206, 206, 190),
}


def paint(board: ImageDraw.ImageDraw, name: str, rng: random.Random) -> Surroundings:
    """Fills the board with a background and a little clutter."""
    backdrop = Backdrop(board, rng)
    _PAINTERS[name](backdrop)
    _clutter(backdrop)
    line = PALE if name == "night" else DARK
    return Surroundings(line, _LAND.get(name, (178, 204, 152)))


def _clutter(b: Backdrop) -> None:
    for _ in range(b.rng.randint(0, 4)):
        edge, free = b.rng.choice((0.05, 0.95)), b.rng.uniform(0.04, 0.96)
        x, y = (edge, free) if b.rng.random() < 0.5 else (free, edge)
        size = b.rng.uniform(0.012, 0.024)
        red, green, blue = (b.rng.randrange(60, 230) for _ in range(3))
        shape = b.rng.randrange(3)
        if shape == 0:
            b.disc(x, y, size, (red, green, blue))
            continue
        corners = ((-1, 1), (0, -1), (1, 1)) if shape == 1 else ((-1, -1), (1, -1), (1, 1), (-1, 1))
        points = [((x + dx * size) * BOARD, (y + dy * size) * BOARD) for dx, dy in corners]
        b.board.polygon(points, fill=(red, green, blue))
