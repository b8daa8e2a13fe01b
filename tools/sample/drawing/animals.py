"""Big cat, bird, snake, fish: all seen from the side, facing right before mirroring."""

from __future__ import annotations

import math

from tools.sample.drawing.palette import DARK, WHITE, mix
from tools.sample.drawing.pen import Pen, Point, along

_BEAK, _NOSE = (240, 168, 40), (214, 110, 110)


def cat(pen: Pen) -> None:
    """A big cat on four legs: spotted, striped or with a mane."""
    coat = pen.rng.choice(("spots", "stripes", "mane"))
    main, dark, stride = pen.ink.main, pen.ink.dark, pen.rng.uniform(-0.14, 0.14)
    lift = pen.rng.uniform(-0.35, 0.15)
    tail = [(-0.62, -0.05), (-0.9, -0.2), (-0.98, -0.55 + lift / 2), (-0.84, -0.72 + lift)]
    pen.cord(tail, 0.15, main, 0.11)
    if coat == "mane":
        pen.disc(*tail[-1], 0.12, dark)
    for x in (-0.34, 0.26):
        pen.cord([(x, 0.2), (x - stride / 2, 0.5), (x - stride, 0.84)], 0.22, dark)
    pen.blob(
        [
            (-0.74, -0.1),
            (-0.4, -0.24),
            (0.2, -0.2),
            (0.6, -0.24),
            (0.7, 0.14),
            (0.36, 0.34),
            (-0.2, 0.28),
            (-0.62, 0.36),
        ],
        main,
    )
    for x in (-0.58, 0.46):
        pen.cord([(x, 0.16), (x + stride / 2, 0.5), (x + stride, 0.86)], 0.25, main)
        pen.blob([(x - 0.12, 0.3), (x - 0.1, 0.02), (x + 0.12, 0.02), (x + 0.11, 0.3)], main, False)
    _coat(pen, coat)
    _cat_head(pen, coat, 0.6 + pen.rng.uniform(-0.04, 0.04), pen.rng.uniform(-0.5, -0.3))


def _coat(pen: Pen, coat: str) -> None:
    deep = mix(pen.ink.main, (0, 0, 0), 0.62)
    if coat == "stripes":
        for i in range(6):
            x = -0.62 + 0.19 * i + pen.rng.uniform(-0.02, 0.02)
            pen.poly([(x, -0.18), (x + 0.1, -0.19), (x + 0.05, 0.18)], deep, line=False)
    elif coat == "spots":
        for column in range(6):
            for y in (-0.1, 0.06, 0.21):
                x = -0.6 + 0.19 * column + (0.08 if y == 0.06 else 0) + pen.rng.uniform(-0.03, 0.03)
                pen.disc(x, y + pen.rng.uniform(-0.02, 0.02), pen.vary(0.048), deep, line=False)


def _cat_head(pen: Pen, coat: str, x: float, y: float) -> None:
    deep = mix(pen.ink.main, (0, 0, 0), 0.62)
    if coat == "mane":
        for i in range(11):
            angle = math.tau * i / 11
            pen.disc(x + 0.31 * math.cos(angle), y + 0.31 * math.sin(angle), 0.15, pen.ink.dark)
        pen.disc(x, y, 0.36, pen.ink.dark, line=False)
    for side in (-1, 1):
        pen.poly(
            [(x + side * p, y + q) for p, q in ((0.08, -0.22), (0.27, -0.43), (0.31, -0.08))],
            pen.ink.main,
        )
    pen.oval(x, y, 0.34, 0.31, pen.ink.main)
    if coat == "stripes":
        for dx in (-0.09, 0, 0.09):
            pen.stroke([(x + dx, y - 0.28), (x + dx * 0.8, y - 0.16)], deep, 0.05)
    pen.oval(x, y + 0.13, 0.19, 0.14, mix(pen.ink.light, WHITE, 0.45), line=False)
    for side in (-1, 1):
        pen.disc(x + side * 0.14, y - 0.06, 0.07, WHITE, line=False)
        pen.disc(x + side * 0.13, y - 0.06, 0.042, DARK, line=False)
        for dy in (0.1, 0.17):
            pen.stroke([(x + side * 0.14, y + dy), (x + side * 0.42, y + dy * 1.4 - 0.06)], DARK)
    pen.poly([(x - 0.07, y + 0.05), (x + 0.07, y + 0.05), (x, y + 0.12)], _NOSE, line=False)
    pen.stroke([(x - 0.08, y + 0.2), (x, y + 0.15), (x + 0.08, y + 0.2)], DARK)


def bird(pen: Pen) -> None:
    """A bird with a beak on two legs, its wing folded or raised."""
    main, light, dark = pen.ink.main, pen.ink.light, pen.ink.dark
    drop = pen.rng.uniform(-0.15, 0.15)
    for x in (-0.08, 0.16):
        pen.stroke([(x, 0.4), (x + 0.03, 0.86)], _BEAK, 0.065)
        pen.stroke([(x - 0.1, 0.92), (x + 0.03, 0.85), (x + 0.18, 0.92)], _BEAK, 0.065)
    pen.poly([(-0.3, 0.05), (-1.0, 0.2 + drop), (-0.98, 0.48 + drop), (-0.25, 0.36)], dark)
    pen.poly([(0.72, -0.66), (1.08, -0.5), (0.72, -0.34)], _BEAK)
    pen.blob(
        [
            (-0.52, 0.2),
            (-0.2, -0.16),
            (0.2, -0.4),
            (0.28, -0.72),
            (0.56, -0.84),
            (0.8, -0.66),
            (0.8, -0.4),
            (0.64, -0.12),
            (0.52, 0.26),
            (0.1, 0.54),
            (-0.3, 0.46),
        ],
        main,
    )
    pen.blob([(0.6, -0.12), (0.46, 0.24), (0.1, 0.46), (0.14, 0.24), (0.4, 0.0)], light, line=False)
    if pen.rng.random() < 0.5:
        wing = [(0.24, -0.06), (0.2, 0.24), (-0.1, 0.38), (-0.78, 0.5), (-0.5, 0.2), (-0.16, -0.08)]
        feathers = [((-0.5, 0.4), (-0.05, 0.2)), ((-0.3, 0.42), (0.06, 0.26))]
    else:
        wing = [(0.22, 0.0), (0.06, -0.46), (-0.3, -0.98), (-0.6, -0.8), (-0.5, -0.3), (-0.2, 0.14)]
        feathers = [((-0.5, -0.7), (-0.1, -0.1)), ((-0.3, -0.78), (0.04, -0.14))]
    pen.blob(wing, dark)
    for start, end in feathers:
        pen.line(start, end)
    pen.disc(0.6, -0.6, 0.085, WHITE, line=False)
    pen.disc(0.62, -0.6, 0.055, DARK, line=False)


def snake(pen: Pen) -> None:
    """A thick wavy snake with bands across its back and a forked tongue."""
    bends, phase = pen.rng.uniform(1.15, 1.45), pen.rng.choice((0.0, math.pi))
    high, wide = pen.rng.uniform(0.38, 0.48), pen.rng.uniform(0.3, 0.36)
    body = along(lambda t: _wave(t, bends, phase, high), 14)
    (x, y), (before_x, before_y) = body[-1], body[-2]
    length = math.hypot(x - before_x, y - before_y)
    dx, dy = (x - before_x) / length, (y - before_y) / length
    tongue: list[Point] = [(x + dx * 0.3 - dy * 0.08, y + dy * 0.3 + dx * 0.08)]
    tongue += [(x + dx * 0.22, y + dy * 0.22)]
    tongue += [(x + dx * 0.3 + dy * 0.08, y + dy * 0.3 - dx * 0.08)]
    pen.stroke([(x, y), tongue[1]], (216, 40, 60), 0.05)
    pen.stroke(tongue, (216, 40, 60), 0.04)
    pen.cord(body[::-1], wide, pen.ink.main, 0.07)
    bands = pen.rng.random() < 0.5
    deep = mix(pen.ink.main, (0, 0, 0), 0.55)
    for step in range(8):
        here, mark = 0.2 + 0.085 * step, pen.ink.light if step % 2 else deep
        px, py = _wave(here, bends, phase, high)
        if bands:
            ahead = _wave(here + 0.028, bends, phase, high)
            pen.stroke([(px, py), ahead], mark, wide * (0.45 + 0.5 * here))
        else:
            pen.disc(px, py, wide * 0.27, mark, line=False)
    pen.cord([(x - dx * 0.06, y - dy * 0.06), (x + dx * 0.1, y + dy * 0.1)], 0.4, pen.ink.main, 0.3)
    for side in (-1, 1):
        ex, ey = x + dx * 0.06 - side * dy * 0.09, y + dy * 0.06 + side * dx * 0.09
        pen.disc(ex, ey, 0.06, WHITE, line=False)
        pen.disc(ex, ey, 0.035, DARK, line=False)


def _wave(t: float, bends: float, phase: float, high: float) -> Point:
    return -1 + 1.72 * t, high * (0.5 + 0.5 * t) * math.sin(math.tau * bends * t + phase)


def fish(pen: Pen) -> None:
    """A fish with a forked tail, fins and scales or stripes."""
    main, dark = pen.ink.main, pen.ink.dark
    deep = pen.rng.uniform(0.42, 0.54)
    pen.poly([(-0.45, 0), (-1.02, -0.5), (-0.84, 0), (-1.02, 0.5)], dark)
    pen.blob([(-0.3, -0.3), (-0.05, -0.84), (0.4, -0.7), (0.5, -0.34)], dark)
    pen.blob([(0.0, 0.34), (-0.16, 0.74), (0.2, 0.66), (0.32, 0.36)], dark)
    pen.blob(
        [
            (-0.62, 0),
            (-0.2, -deep * 0.86),
            (0.3, -deep),
            (0.76, -deep * 0.5),
            (0.96, 0.04),
            (0.74, deep * 0.56),
            (0.3, deep),
            (-0.2, deep * 0.84),
        ],
        main,
    )
    _flank(pen, deep)
    pen.line((0.46, -deep * 0.72), (0.36, 0), (0.46, deep * 0.72), curved=True)
    pen.disc(0.66, -0.12, 0.12, WHITE)
    pen.disc(0.68, -0.12, 0.06, DARK, line=False)
    pen.line((0.92, 0.14), (0.76, 0.18))
    for i in range(pen.rng.randint(1, 3)):
        pen.disc(1.02 + 0.04 * (i % 2), -0.3 - 0.22 * i, 0.06 + 0.01 * i, (214, 236, 248))


def _flank(pen: Pen, deep: float) -> None:
    if pen.rng.random() < 0.5:
        for x in (-0.28, -0.02, 0.24):
            back = [(x - 0.07, -deep * 0.72), (x + 0.07, -deep * 0.76), (x + 0.1, 0)]
            belly = [(x + 0.07, deep * 0.74), (x - 0.07, deep * 0.7), (x - 0.03, 0)]
            pen.blob([*back, *belly], pen.ink.light, line=False)
    else:
        for x, y in ((-0.3, 0), (-0.1, -0.19), (-0.1, 0.19), (0.1, 0), (0.28, -0.2), (0.28, 0.2)):
            pen.line((x - 0.06, y - 0.12), (x + 0.04, y), (x - 0.06, y + 0.12), curved=True)
