"""Fruit, cup, flask."""

from __future__ import annotations

import math

from tools.sample.drawing.palette import BARK, COFFEE, LEAF, WHITE, mix
from tools.sample.drawing.pen import Pen, Point, along, reflected

_GLASS = (222, 238, 246)
_HALVES: dict[str, list[Point]] = {
    "apple": [
        (0.0, -0.42),
        (0.32, -0.58),
        (0.76, -0.42),
        (0.9, 0.06),
        (0.68, 0.68),
        (0.3, 0.92),
        (0.0, 0.84),
    ],
    "pear": [
        (0.0, -0.66),
        (0.24, -0.58),
        (0.34, -0.24),
        (0.62, 0.12),
        (0.74, 0.52),
        (0.5, 0.9),
        (0.0, 0.96),
    ],
    "round": [(0.0, -0.54), (0.46, -0.46), (0.8, -0.06), (0.8, 0.38), (0.5, 0.82), (0.0, 0.96)],
}


def fruit(pen: Pen) -> None:
    """An apple, a pear or a round fruit, with a stalk and a leaf."""
    shape = pen.rng.choice(tuple(_HALVES))
    half = _HALVES[shape]
    top, lean = half[0][1], pen.rng.uniform(-0.06, 0.12)
    pen.blob(reflected(half), pen.ink.main)
    pen.blob(
        [
            (-0.62 * half[3][0], 0.0),
            (-0.5 * half[3][0], -0.2),
            (-0.34 * half[3][0], 0.0),
            (-0.5 * half[3][0], 0.42),
        ],
        pen.ink.light,
        line=False,
    )
    if shape == "round":
        for x, y in ((0.2, 0.1), (0.4, 0.4), (0.1, 0.5), (0.42, -0.06), (-0.12, 0.72), (0.2, 0.76)):
            pen.disc(x, y, 0.035, pen.ink.dark, line=False)
    pen.cord([(0, top + 0.1), (lean, top - 0.16), (lean * 2, top - 0.32)], 0.07, BARK)
    pen.blob([(lean, top - 0.08), (0.28, top - 0.34), (0.66, top - 0.3), (0.4, top - 0.04)], LEAF)
    pen.line((lean + 0.08, top - 0.12), (0.5, top - 0.24))


def cup(pen: Pen) -> None:
    """A steaming cup on a saucer."""
    main, low = pen.ink.main, pen.rng.uniform(0.3, 0.46)
    for x in (-0.36, -0.04, 0.28):
        high = pen.rng.uniform(-1.0, -0.84)
        steam = [(x, -0.5), (x + 0.09, -0.62), (x - 0.06, -0.76), (x + 0.05, high)]
        pen.stroke(steam, (186, 188, 196), 0.07, curved=True)
    pen.oval(-0.06, 0.72, 0.86, 0.2, pen.ink.dark)
    pen.oval(-0.06, 0.68, 0.56, 0.1, pen.ink.light, line=False)
    handle = along(lambda t: (0.56 + 0.4 * math.sin(math.pi * t), -0.2 + 0.56 * t), 7)
    pen.cord(handle, 0.15, main)
    pen.blob(
        [
            (-0.74, -0.36),
            (-0.7, 0.1),
            (-low, 0.6),
            (-0.04, 0.72),
            (low - 0.08, 0.6),
            (0.6, 0.1),
            (0.64, -0.36),
            (-0.04, -0.44),
        ],
        main,
    )
    pen.oval(-0.05, -0.36, 0.7, 0.18, pen.ink.light)
    pen.oval(-0.05, -0.33, 0.58, 0.11, COFFEE)
    for y in (0.06, 0.2) if pen.rng.random() < 0.5 else ():
        pen.stroke(
            [(-0.66 + y / 3, y), (-0.05, y + 0.1), (0.58 - y / 3, y)], WHITE, 0.06, curved=True
        )


def flask(pen: Pen) -> None:
    """A laboratory flask, pointed or round, with a coloured liquid."""
    level = pen.rng.uniform(-0.22, 0.04)
    if pen.rng.random() < 0.6:
        glass: list[Point] = [
            (-0.2, -0.9),
            (0.2, -0.9),
            (0.2, -0.36),
            (0.84, 0.78),
            (0.74, 0.94),
            (-0.74, 0.94),
            (-0.84, 0.78),
            (-0.2, -0.36),
        ]
        wide = 0.2 + (level + 0.36) * 0.56
        fluid = [
            (-wide, level),
            (wide, level),
            (0.84, 0.78),
            (0.74, 0.94),
            (-0.74, 0.94),
            (-0.84, 0.78),
        ]
        pen.poly(glass, _GLASS)
        pen.poly(fluid, pen.ink.main)
    else:
        pen.box(-0.19, -0.9, 0.19, 0.0, _GLASS)
        pen.disc(0, 0.26, 0.72, _GLASS)
        pen.box(-0.15, -0.8, 0.15, -0.34, _GLASS, line=False)
        start = math.asin((level - 0.26) / 0.72)
        pen.poly(along(lambda t: _rim(start, t), 24), pen.ink.main)
    pen.box(-0.3, -1.02, 0.3, -0.86, pen.ink.dark)
    for _ in range(5):
        x, y = pen.rng.uniform(-0.4, 0.4), pen.rng.uniform(0.26, 0.78)
        pen.disc(x, y, pen.rng.uniform(0.05, 0.11), mix(pen.ink.light, WHITE, 0.4))
    for y in (-0.74, -0.64, -0.54):
        pen.line((-0.05, y), (0.1, y))


def _rim(start: float, t: float) -> Point:
    angle = start + (math.pi - 2 * start) * t
    return 0.72 * math.cos(angle), 0.26 + 0.72 * math.sin(angle)
