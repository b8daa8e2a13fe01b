"""Planet and country map."""

from __future__ import annotations

import math

from tools.sample.drawing.palette import DARK, RGB, WHITE, mix
from tools.sample.drawing.pen import Pen, Point, along


def planet(pen: Pen) -> None:
    """A planet with bands or craters, and a ring around it."""
    main, light, dark = pen.ink.main, pen.ink.light, pen.ink.dark
    wide, flat = pen.rng.uniform(0.98, 1.1), pen.rng.uniform(0.2, 0.32)
    band = mix(light, WHITE, 0.35)
    _ring(pen, wide, flat, 0.5, band)
    pen.disc(0, 0, 0.72, main)
    if pen.rng.random() < 0.5:
        for y, colour in ((-0.42, light), (-0.12, dark), (0.4, light), (0.58, dark)):
            half = math.sqrt(0.66**2 - y**2)
            pen.stroke([(-half, y), (half, y)], colour, 0.12)
    else:
        for angle in range(5):
            turn = angle * math.tau / 5 + pen.rng.uniform(-0.4, 0.4)
            away = pen.rng.uniform(0.3, 0.48)
            x, y = away * math.cos(turn), away * math.sin(turn)
            pen.disc(x, y, pen.rng.uniform(0.08, 0.15), dark, line=False)
    _ring(pen, wide, flat, 0.0, band)


def _ring(pen: Pen, wide: float, flat: float, start: float, colour: RGB) -> None:
    """Half of the ring: the near half from 0, the far half from one half."""

    def at(t: float) -> Point:
        angle = math.tau * (start + t / 2)
        return wide * math.cos(angle), flat * math.sin(angle)

    pen.cord(along(at, 9), 0.11, colour)


def country_map(pen: Pen) -> None:
    """The outline of a country with inner borders, a starred capital and towns."""
    count, flat = 9, pen.rng.uniform(0.74, 1.0)
    corners = []
    for i in range(count):
        angle, away = math.tau * i / count, pen.rng.uniform(0.7, 1.02)
        corners.append((away * math.cos(angle), away * math.sin(angle) * flat))
    coast: list[Point] = []
    for (x, y), (next_x, next_y) in zip(corners, [*corners[1:], corners[0]], strict=True):
        coast += [(x, y)]
        for share in (0.25, 0.5, 0.75):
            jag = pen.rng.uniform(0.84, 1.1)
            coast += [((x + (next_x - x) * share) * jag, (y + (next_y - y) * share) * jag)]
    pen.poly(coast, pen.ink.main)
    middle: Point = (pen.rng.uniform(-0.15, 0.15), pen.rng.uniform(-0.15, 0.15))
    for first in (0, 12, 24):
        x, y = coast[(first + pen.rng.randrange(6)) % len(coast)]
        bend = (x * 0.55 + pen.rng.uniform(-0.12, 0.12), y * 0.55 + pen.rng.uniform(-0.12, 0.12))
        pen.stroke([middle, bend, (x * 0.97, y * 0.97)], WHITE, 0.06)
    for _ in range(5):
        angle, away = pen.rng.uniform(0, math.tau), pen.rng.uniform(0.35, 0.6)
        pen.disc(away * math.cos(angle), away * flat * math.sin(angle), 0.055, DARK, line=False)
    _star(pen, middle, 0.26)


def _star(pen: Pen, middle: Point, radius: float) -> None:
    tips = []
    for i in range(10):
        angle, away = -math.pi / 2 + math.pi * i / 5, radius if i % 2 == 0 else radius * 0.45
        tips.append((middle[0] + away * math.cos(angle), middle[1] + away * math.sin(angle)))
    pen.poly(tips, (255, 236, 120))
