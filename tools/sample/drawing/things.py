"""Guitar, film clapper, football, book, computer screen."""

from __future__ import annotations

import math

from tools.sample.drawing.palette import DARK, STEEL, WHITE
from tools.sample.drawing.pen import Pen, Point, reflected

_NECK, _PAGE = (96, 62, 38), (250, 247, 236)


def guitar(pen: Pen) -> None:
    """A guitar with its neck up."""
    pen.box(-0.075, -0.8, 0.075, 0.1, _NECK)
    pen.poly([(-0.1, -0.78), (-0.15, -1.06), (0.15, -1.06), (0.1, -0.78)], pen.ink.dark)
    for side in (-1, 1):
        for y in (-1.0, -0.92, -0.84):
            pen.disc(side * 0.18, y, 0.04, DARK, line=False)
    waist, hip = pen.rng.uniform(0.2, 0.26), pen.rng.uniform(0.46, 0.54)
    half = [(0.0, -0.2), (0.22, -0.19), (0.37, -0.02), (0.32, 0.18), (waist, 0.3), (0.38, 0.44)]
    half += [(hip, 0.7), (0.36, 0.94), (0.0, 1.0)]
    pen.blob(reflected(half), pen.ink.dark)
    pen.blob(reflected([(x * 0.8, 0.4 + (y - 0.4) * 0.84) for x, y in half]), pen.ink.main, False)
    pen.box(-0.075, -0.3, 0.075, 0.16, _NECK)
    pen.disc(0, 0.27, 0.17, DARK)
    pen.box(-0.2, 0.66, 0.2, 0.75, _NECK)
    for x in (-0.04, 0, 0.04):
        pen.stroke([(x, -0.8), (x, 0.68)], (232, 226, 206), 0.014)


def clapper(pen: Pen) -> None:
    """A film clapper, its striped arm open."""
    opening = math.radians(pen.rng.uniform(8, 28))
    pen.box(-0.9, -0.22, 0.9, 0.82, pen.ink.main)
    _bar(pen, (-0.9, -0.44), 0.0)
    _bar(pen, (-0.9, -0.5), -opening)
    pen.disc(-0.82, -0.4, 0.07, WHITE)
    faint = pen.ink.light if pen.rng.random() < 0.5 else WHITE
    for y in (0.1, 0.46):
        pen.stroke([(-0.78, y), (0.78, y)], faint, 0.06)
    for x in (-0.25, 0.3):
        pen.stroke([(x, -0.1), (x, 0.44)], faint, 0.06)
    pen.stroke([(-0.7, 0.64), (pen.rng.uniform(0.1, 0.5), 0.64)], faint, 0.08)


def _bar(pen: Pen, hinge: Point, angle: float) -> None:
    cos, sin = math.cos(angle), math.sin(angle)

    def turned(x: float, y: float) -> Point:
        return hinge[0] + cos * x - sin * (y - 0.22), hinge[1] + sin * x + cos * (y - 0.22) + 0.22

    pen.poly([turned(0, 0), turned(1.8, 0), turned(1.8, 0.22), turned(0, 0.22)], DARK)
    for x in (0.2, 0.62, 1.04, 1.46):
        stripe = [
            turned(x, 0.02),
            turned(x + 0.2, 0.02),
            turned(x + 0.1, 0.2),
            turned(x - 0.1, 0.2),
        ]
        pen.poly(stripe, WHITE, line=False)


def ball(pen: Pen) -> None:
    """A football: pentagons on a round body."""
    pen.disc(0, 0, 0.98, pen.ink.main)
    first, inner = pen.rng.uniform(0, math.tau), pen.rng.uniform(0.32, 0.38)
    corners = [first + math.tau * i / 5 for i in range(5)]

    def at(angle: float, radius: float) -> Point:
        return radius * math.cos(angle), radius * math.sin(angle)

    for angle in corners:
        pen.line(at(angle, inner), at(angle, 0.66))
        near, side = at(angle, 0.66), 0.29
        pen.poly(
            [
                near,
                at(angle + side, 0.8),
                at(angle + side * 0.8, 0.95),
                at(angle, 0.975),
                at(angle - side * 0.8, 0.95),
                at(angle - side, 0.8),
            ],
            WHITE,
        )
        pen.line(at(angle + side, 0.8), at(angle + math.tau / 5 - side, 0.8))
    pen.poly([at(angle, inner) for angle in corners], WHITE)


def book(pen: Pen) -> None:
    """A book, closed or open."""
    if pen.rng.random() < 0.5:
        _closed_book(pen)
    else:
        _open_book(pen)


def _closed_book(pen: Pen) -> None:
    main, dark = pen.ink.main, pen.ink.dark
    pen.poly([(-0.62, 0.72), (-0.46, 0.94), (0.78, 0.94), (0.64, 0.72)], _PAGE)
    pen.poly([(0.6, -0.94), (0.78, -0.72), (0.78, 0.94), (0.6, 0.74)], _PAGE)
    for step in (0.33, 0.66):
        pen.line((0.62 + 0.14 * step, -0.8 + 0.2 * step), (0.62 + 0.14 * step, 0.76 + 0.16 * step))
    pen.box(-0.66, -0.94, 0.62, 0.76, main)
    pen.box(-0.66, -0.94, -0.42, 0.76, dark)
    label = pen.rng.choice((WHITE, pen.ink.light))
    pen.box(-0.24, -0.7, 0.46, -0.3, label)
    pen.line((-0.12, -0.56), (0.34, -0.56))
    pen.line((-0.12, -0.44), (0.22, -0.44))
    if pen.rng.random() < 0.5:
        pen.disc(0.11, 0.22, 0.2, label)
    else:
        pen.poly([(0.11, -0.02), (0.31, 0.24), (0.11, 0.5), (-0.09, 0.24)], label)


def _open_book(pen: Pen) -> None:
    main, dip = pen.ink.main, pen.rng.uniform(0.1, 0.2)
    pen.poly(
        [(-1.06, -0.62), (0, -0.4), (1.06, -0.62), (1.06, 0.74), (0, 0.92), (-1.06, 0.74)], main
    )
    for side in (-1, 1):
        page: list[Point] = [(0, -0.42), (0.3, -0.54 - dip), (0.86, -0.64), (0.86, 0.46)]
        page += [(0.3, 0.58 - dip), (0, 0.74)]
        pen.poly([(side * x, y) for x, y in page], _PAGE)
        pen.poly(
            [
                (side * x, y - 0.06)
                for x, y in ((0.14, -0.4), (0.74, -0.5), (0.74, -0.12), (0.14, -0.02))
            ],
            pen.ink.light,
            line=False,
        )
        for row in range(3):
            y = 0.12 + 0.15 * row
            pen.line((side * 0.14, y), (side * pen.rng.uniform(0.5, 0.74), y - 0.09))
    pen.poly([(-0.06, 0.56), (0.06, 0.56), (0.06, 1.08), (0, 1.0), (-0.06, 1.08)], pen.ink.dark)


def screen(pen: Pen) -> None:
    """A computer screen full of lines of code: a monitor on its foot or a laptop."""
    if pen.rng.random() < 0.5:
        pen.poly([(-0.14, 0.4), (0.14, 0.4), (0.2, 0.84), (-0.2, 0.84)], STEEL)
        pen.box(-0.5, 0.8, 0.5, 0.94, STEEL)
    else:
        pen.poly([(-0.9, 0.5), (0.9, 0.5), (1.06, 0.92), (-1.06, 0.92)], STEEL)
        for y in (0.61, 0.73):
            pen.stroke([(-0.78 - y / 8, y), (0.78 + y / 8, y)], DARK, 0.07)
    pen.box(-1.0, -0.86, 1.0, 0.52, (62, 66, 78))
    pen.box(-0.86, -0.72, 0.86, 0.38, pen.ink.main)
    for row in range(6):
        left = -0.72 + 0.2 * pen.rng.randrange(4)
        split, right = left + pen.rng.uniform(0.15, 0.35), left + pen.rng.uniform(0.5, 0.9)
        y = -0.57 + 0.16 * row
        pen.stroke([(left, y), (split, y)], DARK, 0.075)
        pen.stroke([(split + 0.07, y), (right, y)], WHITE, 0.075)
