"""What is drawn for each kind of entity: a few flat shapes in the entity's colour."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

from PIL import Image

from mmoe.sample.sketch import Point, Sketch, shade

WHITE, DARK = (255, 255, 255), (38, 40, 48)
WATER, GRASS, SKY = (96, 150, 205), (120, 170, 96), (190, 215, 238)


def draw(kind: str, colour: str, rng: random.Random) -> Image.Image:
    """A picture of a kind in a colour; another state of `rng` gives another picture."""
    sketch = Sketch(colour, rng)
    SCENES[kind](sketch)
    return sketch.image


def _planet(s: Sketch) -> None:
    s.backdrop((14, 16, 34))
    s.dots(40, WHITE)
    s.disc(0.5, 0.5, 0.32, s.colour)
    for _ in range(5):
        x, y = s.rng.uniform(0.34, 0.62), s.rng.uniform(0.32, 0.68)
        s.disc(x, y, s.rng.uniform(0.02, 0.06), shade(s.colour, 0.75))


def _element(s: Sketch) -> None:
    s.box(0.18, 0.1, 0.82, 0.9, shade(s.colour, 1.6))
    s.box(0.24, 0.16, 0.4, 0.22, DARK)
    for _ in range(6):
        x, y = s.rng.uniform(0.32, 0.68), s.rng.uniform(0.4, 0.76)
        s.disc(x, y, 0.08, shade(s.colour, 0.9))
        s.disc(x - 0.02, y - 0.02, 0.025, WHITE)


def _god(s: Sketch) -> None:
    s.box(0.2, 0.8, 0.8, 0.95, (205, 200, 190))
    s.shape([(0.3, 0.8), (0.7, 0.8), (0.62, 0.5), (0.38, 0.5)], (225, 220, 212))
    s.disc(0.5, 0.38, 0.16, (225, 220, 212))
    s.shape([(0.32, 0.32), (0.68, 0.32), (0.6, 0.16), (0.4, 0.16)], s.colour)
    s.shape([(0.32, 0.32), (0.14, 0.14), (0.34, 0.22)], shade(s.colour, 1.3))
    s.shape([(0.68, 0.32), (0.86, 0.14), (0.66, 0.22)], shade(s.colour, 1.3))


def _cat(s: Sketch) -> None:
    s.backdrop(GRASS, top=s.rng.uniform(0.55, 0.75))
    s.oval(0.45, 0.55, 0.28, 0.14, s.colour)
    for x in (0.25, 0.36, 0.56, 0.65):
        s.box(x - 0.03, 0.6, x + 0.03, 0.82, s.colour)
    s.disc(0.76, 0.42, 0.12, s.colour)
    s.shape([(0.67, 0.36), (0.68, 0.24), (0.75, 0.31)], s.colour)
    s.shape([(0.79, 0.31), (0.86, 0.24), (0.86, 0.37)], s.colour)
    s.stroke([(0.19, 0.5), (0.08, 0.4), (0.1, 0.26)], 0.035, s.colour)
    for _ in range(9):
        x, y = s.rng.uniform(0.26, 0.62), s.rng.uniform(0.47, 0.63)
        s.disc(x, y, 0.018, shade(s.colour, 0.45))
    s.disc(0.8, 0.4, 0.014, DARK)


def _snake(s: Sketch) -> None:
    s.backdrop((214, 190, 140), top=0.4)
    waves = s.rng.uniform(9, 12)
    body: list[Point] = [
        (0.1 + 0.028 * i, 0.55 + 0.16 * math.sin(waves * i / 28)) for i in range(29)
    ]
    s.stroke(body, 0.09, s.colour)
    for x, y in body[2::4]:
        s.disc(x, y, 0.02, shade(s.colour, 0.5))
    s.disc(*body[-1], 0.065, s.colour)
    s.disc(body[-1][0] + 0.02, body[-1][1] - 0.02, 0.012, DARK)


def _company(s: Sketch) -> None:
    s.backdrop((170, 172, 178), top=0.82)
    s.box(0.14, 0.34, 0.86, 0.88, (216, 218, 222))
    s.box(0.14, 0.16, 0.86, 0.34, s.colour)
    s.disc(s.rng.uniform(0.3, 0.7), 0.25, 0.06, WHITE)
    for row in (0.42, 0.58):
        for column in range(4):
            left = 0.2 + 0.16 * column
            s.box(left, row, left + 0.1, row + 0.1, (140, 180, 214))
    s.box(0.44, 0.72, 0.56, 0.88, DARK)


def _river(s: Sketch) -> None:
    s.backdrop(GRASS)
    bends: list[Point] = [(s.rng.uniform(0.3, 0.7), y / 5) for y in range(-1, 7)]
    s.stroke(bends, 0.24, s.colour)
    s.stroke(bends, 0.06, shade(s.colour, 1.3))
    for _ in range(12):
        s.disc(s.rng.choice((0.06, 0.12, 0.88, 0.94)), s.rng.random(), 0.045, (60, 110, 60))


def _island(s: Sketch) -> None:
    s.backdrop(WATER)
    s.dots(50, shade(WATER, 1.5))
    s.oval(0.5, 0.6, 0.4, 0.16, (226, 206, 150))
    s.oval(0.5, 0.58, 0.35, 0.12, s.colour)
    s.shape([(0.3, 0.56), (0.46, 0.26), (0.54, 0.26), (0.72, 0.56)], shade(s.colour, 0.7))
    s.disc(0.5, 0.18, 0.05, WHITE)


def _language(s: Sketch) -> None:
    s.box(0.1, 0.14, 0.9, 0.86, (30, 32, 42))
    s.box(0.1, 0.14, 0.9, 0.22, s.colour)
    for line in range(7):
        left = 0.16 + 0.06 * s.rng.randrange(4)
        right = left + s.rng.uniform(0.15, 0.45)
        ink = s.colour if line % 2 else shade(s.colour, 1.55)
        s.box(left, 0.28 + 0.08 * line, right, 0.31 + 0.08 * line, ink)


def _gem(s: Sketch) -> None:
    s.shape([(0.2, 0.4), (0.35, 0.22), (0.65, 0.22), (0.8, 0.4), (0.5, 0.82)], s.colour)
    s.shape([(0.2, 0.4), (0.4, 0.4), (0.5, 0.82)], shade(s.colour, 0.7))
    s.shape([(0.6, 0.4), (0.8, 0.4), (0.5, 0.82)], shade(s.colour, 1.3))
    s.shape([(0.35, 0.22), (0.4, 0.4), (0.6, 0.4), (0.65, 0.22)], shade(s.colour, 1.5))


def _region(s: Sketch) -> None:
    s.backdrop(shade(WATER, 1.5))
    corners: list[Point] = []
    for step in range(11):
        angle, radius = 2 * math.pi * step / 11, s.rng.uniform(0.26, 0.42)
        corners.append((0.5 + radius * math.cos(angle), 0.5 + radius * math.sin(angle)))
    s.shape(corners, s.colour)
    s.stroke([*corners, corners[0]], 0.014, shade(s.colour, 0.5))
    s.disc(0.5, 0.5, 0.025, DARK)


def _person(s: Sketch) -> None:
    # A head in the entity's own colour, for this is nobody's likeness.
    skin = shade(s.colour, 1.55)
    s.shape([(0.14, 1.02), (0.24, 0.7), (0.76, 0.7), (0.86, 1.02)], s.colour)
    s.box(0.44, 0.58, 0.56, 0.72, shade(skin, 0.85))
    s.disc(0.5, 0.42, 0.19, skin)
    hair = shade(s.colour, 0.45)
    s.shape([(0.3, 0.4), (0.32, 0.22), (0.5, 0.15), (0.68, 0.22), (0.7, 0.4), (0.5, 0.29)], hair)
    s.disc(0.43, 0.42, 0.018, DARK)
    s.disc(0.57, 0.42, 0.018, DARK)
    s.stroke([(0.44, 0.52), (0.5, s.rng.uniform(0.51, 0.55)), (0.56, 0.52)], 0.014, DARK)


def _city(s: Sketch) -> None:
    s.backdrop(SKY)
    s.backdrop((150, 150, 150), top=0.85)
    left = 0.04
    while left < 0.9:
        width, height = s.rng.uniform(0.08, 0.16), s.rng.uniform(0.25, 0.65)
        s.box(left, 0.88 - height, left + width, 0.9, shade(s.colour, s.rng.uniform(0.6, 1.3)))
        for row in range(int(height / 0.09)):
            top = 0.9 - height + 0.09 * row
            s.box(left + 0.02, top, left + 0.045, top + 0.04, (250, 236, 170))
        left += width + 0.015


def _fruit(s: Sketch) -> None:
    s.backdrop((236, 224, 200), top=0.6)
    s.disc(0.5, 0.56, 0.29, s.colour)
    s.disc(0.42, 0.46, 0.06, shade(s.colour, 1.5))
    s.stroke([(0.5, 0.3), (0.52, 0.16)], 0.03, (96, 70, 40))
    s.oval(0.63, 0.2, 0.1, 0.045, (80, 150, 70))


def _unit(s: Sketch) -> None:
    s.disc(0.5, 0.5, 0.38, s.colour)
    s.disc(0.5, 0.5, 0.32, WHITE)
    angle = s.rng.uniform(math.pi, 2 * math.pi)
    for step in range(9):
        mark = math.pi + math.pi * step / 8
        inner, outer = ((0.5 + r * math.cos(mark), 0.5 + r * math.sin(mark)) for r in (0.24, 0.3))
        s.stroke([inner, outer], 0.014, DARK)
    tip = (0.5 + 0.26 * math.cos(angle), 0.5 + 0.26 * math.sin(angle))
    s.stroke([(0.5, 0.5), tip], 0.025, (200, 40, 40))


def _lake(s: Sketch) -> None:
    s.backdrop(GRASS)
    s.oval(0.5, 0.55, 0.42, 0.28, s.colour)
    s.oval(0.42, 0.5, 0.12, 0.04, shade(s.colour, 1.4))
    x = s.rng.uniform(0.4, 0.65)
    s.shape([(x - 0.08, 0.6), (x + 0.08, 0.6), (x + 0.05, 0.66), (x - 0.05, 0.66)], (120, 80, 40))
    s.shape([(x, 0.58), (x, 0.44), (x + 0.08, 0.58)], WHITE)


def _ship(s: Sketch) -> None:
    s.backdrop(SKY)
    s.backdrop(WATER, top=0.7)
    s.shape([(0.06, 0.6), (0.94, 0.6), (0.84, 0.78), (0.14, 0.78)], s.colour)
    s.box(0.2, 0.5, 0.8, 0.6, WHITE)
    for x in (0.28, 0.42, 0.56, 0.7):
        s.box(x - 0.03, 0.32, x + 0.03, 0.5, (214, 150, 60))
        s.disc(x + s.rng.uniform(-0.04, 0.04), 0.25, 0.035, (120, 120, 120))


def _film(s: Sketch) -> None:
    s.box(0.16, 0.4, 0.84, 0.86, s.colour)
    lid = s.rng.uniform(0.14, 0.24)
    s.shape([(0.16, 0.38), (0.84, 0.38 - lid), (0.84, 0.28 - lid), (0.16, 0.28)], DARK)
    for x in (0.24, 0.42, 0.6):
        s.box(x, 0.44, x + 0.1, 0.52, WHITE)
    s.box(0.24, 0.62, 0.7, 0.66, shade(s.colour, 1.6))


def _tower(s: Sketch) -> None:
    s.backdrop(SKY)
    s.backdrop(GRASS, top=0.86)
    s.shape(
        [(0.24, 0.92), (0.46, 0.3), (0.54, 0.3), (0.76, 0.92), (0.62, 0.92), (0.5, 0.6)], s.colour
    )
    s.shape([(0.24, 0.92), (0.38, 0.92), (0.5, 0.6), (0.46, 0.3)], shade(s.colour, 0.8))
    s.box(0.36, 0.58, 0.64, 0.63, s.colour)
    s.box(0.48, 0.06, 0.52, 0.32, s.colour)


def _mountain(s: Sketch) -> None:
    s.backdrop(SKY)
    peak = s.rng.uniform(0.42, 0.58)
    s.shape([(0.0, 0.9), (0.2, 0.48), (0.42, 0.9)], shade(s.colour, 0.7))
    s.shape([(0.14, 0.9), (peak, 0.14), (0.96, 0.9)], s.colour)
    s.shape([(peak - 0.11, 0.34), (peak, 0.14), (peak + 0.13, 0.34), (peak, 0.3)], WHITE)


SCENES: dict[str, Callable[[Sketch], None]] = {
    "cat": _cat,
    "city": _city,
    "company": _company,
    "element": _element,
    "film": _film,
    "fruit": _fruit,
    "gem": _gem,
    "god": _god,
    "island": _island,
    "lake": _lake,
    "language": _language,
    "mountain": _mountain,
    "person": _person,
    "planet": _planet,
    "region": _region,
    "river": _river,
    "ship": _ship,
    "snake": _snake,
    "tower": _tower,
    "unit": _unit,
}
