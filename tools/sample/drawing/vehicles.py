"""Car, ship, plane, rocket."""

from __future__ import annotations

from tools.sample.drawing.palette import DARK, GLASS, LAMP, STEEL, WHITE, mix
from tools.sample.drawing.pen import Pen, Point, reflected

_TYRE, _WOOD, _WAVE = (44, 46, 54), (150, 106, 66), (70, 140, 200)


def car(pen: Pen) -> None:
    """A car from the side: saloon, estate or roadster."""
    cabin, rear = pen.rng.choice(
        (((-0.42, 0.26), -0.8), ((-0.86, 0.2), -1.0), ((-0.3, 0.2), -0.72))
    )
    top = pen.rng.uniform(-0.62, -0.5)
    main, (left, right) = pen.ink.main, cabin
    pen.poly([(rear, -0.02), (left, top), (right, top), (0.58, -0.02)], main)
    pen.blob(
        [
            (-1.02, 0.06),
            (-0.8, -0.1),
            (0.0, -0.09),
            (0.6, -0.08),
            (0.96, 0.04),
            (1.04, 0.26),
            (0.96, 0.42),
            (0, 0.44),
            (-0.98, 0.42),
        ],
        main,
    )
    middle = (left + right) / 2
    _windows(pen, left, middle, right, left + (rear - left) * 0.62, top + 0.11)
    pen.line((middle, -0.04), (middle, 0.36))
    pen.line((middle - 0.22, 0.06), (middle - 0.1, 0.06))
    pen.box(-1.0, 0.22, 1.0, 0.29, pen.ink.dark, line=False)
    pen.disc(0.92, 0.12, 0.085, LAMP)
    pen.box(-1.04, 0.06, -0.94, 0.18, (220, 60, 50))
    for x in (-0.56, 0.58):
        pen.disc(x, 0.4, 0.26, _TYRE)
        pen.disc(x, 0.4, 0.13, STEEL, line=False)
        pen.disc(x, 0.4, 0.045, DARK, line=False)


def _windows(
    pen: Pen, left: float, middle: float, right: float, low_left: float, top: float
) -> None:
    sill, back, front = -0.09, middle - 0.05, middle + 0.05
    rear_window = [(low_left + 0.1, sill), (left + 0.08, top), (back, top), (back, sill)]
    pen.poly(rear_window, GLASS)
    pen.poly([(front, sill), (front, top), (right - 0.03, top), (0.4, sill)], GLASS)


def ship(pen: Pen) -> None:
    """A steamer with funnels or a boat under sail, in a strip of waves."""
    if pen.rng.random() < 0.5:
        _steamer(pen)
    else:
        _sailing_boat(pen)
    start = pen.rng.uniform(-0.06, 0.06)
    crests = [(start - 1.05 + 0.15 * i, 0.8 - 0.09 * (i % 2)) for i in range(15)]
    pen.stroke(crests, _WAVE, 0.1, curved=True)


def _steamer(pen: Pen) -> None:
    funnels = pen.rng.randint(1, 3)
    for i in range(funnels):
        x = -0.32 + 0.34 * i
        pen.disc(x - 0.16, -0.94, 0.1, STEEL)
        pen.disc(x - 0.06, -0.82, 0.07, STEEL)
        pen.poly(
            [(x - 0.1, -0.2), (x - 0.08, -0.72), (x + 0.1, -0.72), (x + 0.12, -0.2)], pen.ink.main
        )
        pen.box(x - 0.08, -0.6, x + 0.1, -0.5, WHITE)
    pen.box(-0.62, -0.22, 0.56, 0.02, WHITE)
    pen.box(-0.76, 0.0, 0.7, 0.22, WHITE)
    for i in range(5):
        pen.box(-0.5 + 0.2 * i, -0.15, -0.4 + 0.2 * i, -0.06, GLASS)
    for i in range(6):
        pen.disc(-0.62 + 0.23 * i, 0.11, 0.06, GLASS)
    pen.poly([(-1.0, 0.2), (1.06, 0.14), (0.74, 0.78), (-0.8, 0.78)], pen.ink.main)
    pen.poly([(-0.93, 0.36), (0.97, 0.32), (0.93, 0.42), (-0.9, 0.46)], pen.ink.light, line=False)
    pen.disc(0.66, 0.52, 0.06, DARK, line=False)


def _sailing_boat(pen: Pen) -> None:
    lean = pen.rng.uniform(-0.05, 0.05)
    pen.box(-0.06, -1.0, 0.02, 0.35, _WOOD)
    pen.poly([(0.04, -0.96), (0.86, 0.16 + lean), (0.04, 0.2)], pen.ink.main)
    pen.poly([(-0.12, -0.8), (-0.7, 0.14 - lean), (-0.12, 0.2)], pen.ink.light)
    pen.poly([(0.07, -0.34), (0.46, -0.32), (0.66, -0.04), (0.07, -0.06)], WHITE, line=False)
    pen.poly([(0, -1.04), (-0.3, -0.94), (0, -0.86)], pen.ink.dark)
    pen.blob(
        [
            (-1.0, 0.3),
            (0, 0.36),
            (1.02, 0.24),
            (0.76, 0.66),
            (0.3, 0.84),
            (-0.5, 0.82),
            (-0.86, 0.62),
        ],
        pen.ink.main,
    )
    pen.stroke([(-0.9, 0.44), (0, 0.49), (0.9, 0.4)], pen.ink.dark, 0.07, curved=True)


def plane(pen: Pen) -> None:
    """An airliner from above, nose up: swept wings and a tail."""
    main, light, dark = pen.ink.main, pen.ink.light, pen.ink.dark
    sweep = pen.rng.uniform(0.1, 0.34)
    for side in (-1, 1):
        wing: list[Point] = [(0.08, -0.26), (1.0, sweep), (1.0, sweep + 0.16), (0.08, 0.26)]
        for x in pen.rng.choice(((0.42,), (0.34, 0.64))):
            y = -0.3 + x * (sweep + 0.2)
            pen.blob(
                [
                    (side * (x + p), y + q)
                    for p, q in ((-0.07, 0), (0, -0.1), (0.07, 0), (0.06, 0.24), (-0.06, 0.24))
                ],
                STEEL,
            )
        pen.poly([(side * x, y) for x, y in wing], light)
        pen.poly(
            [
                (side * x, y)
                for x, y in (
                    (0.8, sweep - 0.1),
                    (1.0, sweep),
                    (1.0, sweep + 0.16),
                    (0.8, sweep + 0.12),
                )
            ],
            dark,
        )
        pen.poly(
            [(side * x, y) for x, y in ((0.06, 0.62), (0.42, 0.86), (0.42, 0.98), (0.06, 0.9))],
            dark,
        )
    half = [(0.0, -1.02), (0.11, -0.9), (0.16, -0.66), (0.16, 0.4), (0.1, 0.8), (0.0, 1.0)]
    pen.blob(reflected(half), main)
    pen.poly([(-0.1, -0.76), (-0.06, -0.88), (0.06, -0.88), (0.1, -0.76)], GLASS)
    for i in range(6):
        for side in (-1, 1):
            pen.disc(side * 0.085, -0.52 + 0.17 * i, 0.03, WHITE, line=False)
    pen.poly([(-0.03, 0.6), (0.03, 0.6), (0.03, 1.02), (-0.03, 1.02)], dark)


def rocket(pen: Pen) -> None:
    """A rocket nose up, with fins, portholes and a flame."""
    main, dark = pen.ink.main, pen.ink.dark
    wide, flame = pen.rng.uniform(0.3, 0.38), pen.rng.uniform(0.94, 1.08)
    fire = [
        (-0.2, 0.55),
        (-0.26, 0.75),
        (-0.1, 0.8),
        (0, flame),
        (0.1, 0.8),
        (0.26, 0.75),
        (0.2, 0.55),
    ]
    pen.poly(fire, (250, 150, 40))
    pen.poly([(-0.1, 0.56), (0, 0.84), (0.1, 0.56)], (255, 226, 90), line=False)
    for side in (-1, 1):
        fin: list[Point] = [(wide * 0.9, 0.08), (0.68, 0.5), (0.66, 0.8), (wide * 0.6, 0.56)]
        pen.poly([(side * x, y) for x, y in fin], dark)
    half = [
        (0.0, -1.04),
        (wide * 0.62, -0.66),
        (wide, -0.2),
        (wide, 0.24),
        (wide * 0.66, 0.6),
        (0, 0.6),
    ]
    pen.blob(reflected(half), main)
    nose = [(0.0, -1.04), (wide * 0.36, -0.84), (wide * 0.64, -0.6), (0, -0.55)]
    pen.blob(reflected(nose), mix(dark, (0, 0, 0), 0.2))
    pen.stroke([(-wide * 0.86, 0.36), (0, 0.42), (wide * 0.86, 0.36)], WHITE, 0.1, curved=True)
    for y in pen.rng.choice(((-0.16,), (-0.28, 0.12))):
        pen.disc(0, y, 0.17, WHITE)
        pen.disc(0, y, 0.1, GLASS)
    pen.poly([(-0.05, 0.36), (0.05, 0.36), (0.05, 0.84), (-0.05, 0.84)], dark)
