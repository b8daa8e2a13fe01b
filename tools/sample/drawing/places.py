"""City, river, mountain, building, temple: what stands on the ground."""

from __future__ import annotations

from tools.sample.drawing.palette import BARK, DARK, GLASS, LAMP, LEAF, RGB, WHITE, mix
from tools.sample.drawing.pen import Pen, Point, smooth


def ground(pen: Pen, height: float, land: RGB) -> None:
    """Bare ground from `height` down, over the whole width."""
    pen.box(-1.4, height, 1.4, 1.4, land)


def tree(pen: Pen, x: float, y: float, size: float) -> None:
    """A fir whose foot stands at (x, y)."""
    pen.box(x - size * 0.1, y - size * 0.3, x + size * 0.1, y, BARK)
    pen.poly(
        [(x - size * 0.4, y - size * 0.24), (x, y - size * 1.2), (x + size * 0.4, y - size * 0.24)],
        LEAF,
    )


def city(pen: Pen, land: RGB) -> None:
    """A skyline of many towers with lit windows."""
    ground(pen, 0.78, land)
    shades = (pen.ink.main, pen.ink.dark, pen.ink.main, pen.ink.light)
    count = pen.rng.randint(5, 7)
    wide = 1.96 / count
    for i in range(count):
        left = -0.98 + i * wide
        _tower(pen, left, left + wide * pen.rng.uniform(0.86, 1.04), shades[i % 4])


def _tower(pen: Pen, left: float, right: float, colour: RGB) -> None:
    top, middle = pen.rng.uniform(-0.6, 0.2), (left + right) / 2
    roof = pen.rng.choice(("flat", "spire", "slope", "step"))
    if roof == "spire":
        pen.poly([(left, top), (middle, top - 0.24), (right, top)], pen.ink.dark)
    elif roof == "slope":
        pen.poly([(left, top), (right, top - 0.16), (right, top)], colour)
    elif roof == "step":
        pen.box(left + 0.07, top - 0.12, right - 0.07, top + 0.05, colour)
        pen.line((middle, top - 0.12), (middle, top - 0.28))
    pen.box(left, top, right, 0.84, colour)
    side, half = (right - left) / 4, 0.034
    for row in range(int((0.78 - top) / 0.17)):
        y = top + 0.13 + 0.17 * row
        for x in (middle - side, middle, middle + side):
            lit = LAMP if pen.rng.random() < 0.7 else mix(colour, DARK, 0.6)
            pen.box(x - half, y - half, x + half, y + half, lit, line=False)


def river(pen: Pen, land: RGB) -> None:
    """A river that winds from the hills towards the viewer."""
    horizon = pen.rng.uniform(-0.22, -0.1)
    for x in (-0.95, -0.3, 0.2):
        peak = horizon - pen.rng.uniform(0.16, 0.3)
        hill = [
            (x - 0.5, horizon + 0.04),
            (x + pen.rng.uniform(-0.1, 0.1), peak),
            (x + 0.5, horizon + 0.04),
        ]
        pen.poly(hill, mix(land, (90, 110, 90), pen.rng.uniform(0.3, 0.5)))
    ground(pen, horizon, land)
    swing, rows = pen.rng.uniform(0.34, 0.46) * pen.rng.choice((-1, 1)), 6
    bends = [
        (
            swing * (0.3, -0.5, 0.9, -0.9, 0.8, 0.2, 0)[row],
            horizon + (1.5 - horizon) * (row / rows) ** 1.25,
        )
        for row in range(rows + 1)
    ]
    middle = smooth(bends, closed=False)
    half = [0.05 + 0.4 * (y - horizon) / (1 - horizon) for _, y in middle]
    left = [(x - w, y) for (x, y), w in zip(middle, half, strict=True)]
    right = [(x + w, y) for (x, y), w in zip(middle, half, strict=True)]
    pen.poly([*left, *right[::-1]], pen.ink.main)
    for share in (-0.45, 0.05, 0.5):
        start = pen.rng.randrange(8, 12)
        current = [(x + share * w, y) for (x, y), w in zip(middle, half, strict=True)]
        pen.stroke(current[start : start + 8], pen.ink.light, 0.05)
    for side, y in ((-1, 0.06), (1, 0.2), (-1, 0.5), (1, 0.66)):
        x = _bank(middle, half, y, side) + side * pen.rng.uniform(0.24, 0.42)
        tree(pen, x, y, 0.3 + 0.2 * y)


def _bank(middle: list[Point], half: list[float], y: float, side: int) -> float:
    near = min(range(len(middle)), key=lambda i: abs(middle[i][1] - y))
    return middle[near][0] + side * half[near]


def mountain(pen: Pen, land: RGB) -> None:
    """A high peak with snow and two lower ones beside it."""
    foot, peak = 0.72, (pen.rng.uniform(-0.14, 0.14), pen.rng.uniform(-0.9, -0.74))
    for side in (-1, 1):
        x, y = side * pen.rng.uniform(0.52, 0.7), pen.rng.uniform(-0.24, 0.0)
        _peak(pen, (x, y), foot, 0.6, pen.ink.dark)
    _peak(pen, peak, foot, 0.92, pen.ink.main)
    ground(pen, foot, land)
    for x in (-0.84, -0.5, 0.46, 0.82):
        tree(pen, x + pen.rng.uniform(-0.1, 0.1), pen.rng.uniform(0.82, 0.98), 0.3)


def _peak(pen: Pen, top: Point, foot: float, wide: float, colour: RGB) -> None:
    x, y = top
    high = foot - y

    def slope(side: int, share: float) -> Point:
        return x + side * wide * share, y + high * share

    pen.poly([top, slope(1, 1.0), slope(-1, 1.0)], colour)
    pen.poly(
        [top, slope(1, 1.0), (x + wide * 0.2, foot), (x - wide * 0.08, y + high * 0.5)],
        mix(colour, (0, 0, 0), 0.22),
        line=False,
    )
    snow = pen.rng.uniform(0.28, 0.36)
    pen.poly(
        [
            top,
            slope(1, snow),
            (x + wide * 0.14, y + high * snow * 0.72),
            (x, y + high * snow * 1.1),
            (x - wide * 0.14, y + high * snow * 0.76),
            slope(-1, snow),
        ],
        WHITE,
    )


def building(pen: Pen, land: RGB) -> None:
    """One large house: an office block with a door, or a works with a chimney."""
    pen.box(-1.4, 0.82, 1.4, 1.4, land)
    main, dark, light = pen.ink.main, pen.ink.dark, pen.ink.light
    works = pen.rng.random() < 0.4
    if works:
        pen.poly([(0.42, -0.2), (0.46, -0.96), (0.66, -0.96), (0.7, -0.2)], dark)
        pen.box(0.44, -0.86, 0.68, -0.76, WHITE)
        for x in (-0.78, -0.38, 0.02):
            pen.poly([(x, -0.28), (x, -0.62), (x + 0.4, -0.28)], light)
        top, rows = -0.28, 2
    else:
        pen.poly([(0.6, -0.82), (0.86, -0.64), (0.86, 0.86), (0.6, 0.86)], dark)
        pen.box(-0.72, -0.92, 0.64, -0.76, light)
        top, rows = -0.78, 4
    right = 0.78 if works else 0.6
    pen.box(-0.78 if works else -0.68, top, right, 0.86, main)
    columns = pen.rng.randint(3, 4)
    span = 1.3 / columns
    for row in range(rows):
        y = top + 0.14 + 0.31 * row
        for column in range(columns):
            x = -0.64 + span * (column + 0.2) + (0.06 if works else 0)
            lit = LAMP if pen.rng.random() < 0.25 else GLASS
            pen.box(x, y, x + span * 0.6, y + 0.19, lit)
    _entrance(pen, (right - 0.68) / 2, 0.86)


def _entrance(pen: Pen, x: float, foot: float) -> None:
    pen.box(x - 0.2, foot - 0.32, x + 0.2, foot, DARK)
    pen.line((x, foot - 0.32), (x, foot))
    pen.poly(
        [
            (x - 0.3, foot - 0.3),
            (x - 0.24, foot - 0.42),
            (x + 0.24, foot - 0.42),
            (x + 0.3, foot - 0.3),
        ],
        pen.ink.light,
    )


def temple(pen: Pen, land: RGB) -> None:
    """A temple: columns on steps under a pediment."""
    pen.box(-1.4, 0.84, 1.4, 1.4, land)
    main, light, dark = pen.ink.main, pen.ink.light, pen.ink.dark
    for i, wide in enumerate((0.98, 0.9, 0.82)):
        pen.box(-wide, 0.74 - 0.12 * i, wide, 0.9 - 0.12 * i, light if i % 2 else main)
    pen.box(-0.74, -0.3, 0.74, 0.5, mix(dark, (0, 0, 0), 0.45))
    count = pen.rng.randint(4, 6)
    wide = 0.78 / count
    for i in range(count):
        x = -0.7 + 1.4 * i / (count - 1)
        pen.box(x - wide / 2, -0.3, x + wide / 2, 0.5, main)
        pen.stroke([(x, -0.2), (x, 0.42)], light, wide * 0.3)
        pen.box(x - wide * 0.75, -0.32, x + wide * 0.75, -0.22, light)
        pen.box(x - wide * 0.75, 0.42, x + wide * 0.75, 0.5, light)
    pen.box(-0.92, -0.48, 0.92, -0.3, main)
    peak = pen.rng.uniform(-1.02, -0.9)
    pen.poly([(-1.0, -0.46), (0, peak), (1.0, -0.46)], main)
    pen.poly([(-0.66, -0.53), (0, peak + 0.12), (0.66, -0.53)], dark)
    if pen.rng.random() < 0.5:
        pen.disc(0, -0.66, 0.1, LAMP)
    else:
        pen.poly([(0, -0.8), (0.12, -0.58), (-0.12, -0.58)], LAMP)
