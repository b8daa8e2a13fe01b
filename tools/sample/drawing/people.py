"""The portrait of nobody in particular."""

from __future__ import annotations

import math

from tools.sample.drawing.palette import DARK, RGB, WHITE, mix
from tools.sample.drawing.pen import Pen, along, reflected

_SKIN = ((246, 214, 186), (226, 178, 140), (178, 122, 84), (122, 78, 52))
_HAIR = ((40, 32, 30), (92, 58, 34), (190, 150, 80), (150, 148, 146))
_RIM = along(lambda t: (math.cos(math.tau * t), math.sin(math.tau * t)), 9)


def portrait(pen: Pen) -> None:
    """Head and shoulders, in a coat of the image's colour; long or short hair, or a hat."""
    rng = pen.rng
    skin, hair, cut = rng.choice(_SKIN), rng.choice(_HAIR), rng.choice(("short", "long", "hat"))
    if cut == "long":
        half = [(0, -0.84), (0.5, -0.5), (0.58, 0.1), (0.5, 0.5)]
        pen.blob(reflected(half), hair)
    wide = rng.uniform(0.84, 1.0)
    pen.blob(reflected([(0.26, 0.36), (wide * 0.8, 0.52), (wide, 1.2), (0, 1.4)]), pen.ink.main)
    pen.cord([(0, 0.2), (0, 0.4)], 0.3, skin)
    _collar(pen)
    pen.oval(0, -0.16, 0.42, 0.5, skin)
    if cut == "hat":
        _hat(pen)
    else:
        crown = [(0.3, -0.4), (-0.1, -0.46), (-0.46, -0.1), (-0.46, -0.48), (0, -0.84)]
        pen.blob([*crown, (0.46, -0.48), (0.46, -0.1)], hair)
    _face(pen, skin, hair, bearded=cut != "long" and rng.random() < 0.5)


def _collar(pen: Pen) -> None:
    if pen.rng.random() < 0.5:
        pen.poly(
            [(-0.24, 0.38), (0, 0.66), (0.24, 0.38), (0.34, 0.56), (0, 0.94), (-0.34, 0.56)],
            pen.ink.light,
        )
    else:
        pen.poly([(-0.2, 0.4), (0.2, 0.4), (0, 0.74)], WHITE)
        pen.poly([(-0.06, 0.56), (0.06, 0.56), (0.1, 1.2), (-0.1, 1.2)], pen.ink.dark)


def _hat(pen: Pen) -> None:
    tall = pen.rng.uniform(-0.98, -0.86)
    pen.poly([(-0.4, -0.42), (-0.36, tall), (0.36, tall), (0.4, -0.42)], pen.ink.main)
    pen.box(-0.4, -0.56, 0.4, -0.44, pen.ink.dark)
    pen.oval(0, -0.41, 0.66, 0.09, pen.ink.main)


def _face(pen: Pen, skin: RGB, hair: RGB, bearded: bool) -> None:
    if bearded:
        pen.blob(reflected([(0, 0.06), (0.24, 0.1), (0.42, -0.04), (0.34, 0.3), (0, 0.46)]), hair)
    for side in (-1, 1):
        pen.disc(side * 0.17, -0.16, 0.075, WHITE, line=False)
        pen.disc(side * 0.17, -0.16, 0.045, DARK, line=False)
        pen.stroke([(side * 0.09, -0.29), (side * 0.27, -0.28)], hair, 0.045)
    if pen.rng.random() < 0.25:
        for side in (-1, 1):
            pen.stroke(
                [(side * 0.17 + 0.13 * x, -0.16 + 0.13 * y) for x, y in _RIM], DARK, 0.03, True
            )
    pen.stroke([(0.0, -0.1), (0.05, 0.04), (-0.03, 0.06)], mix(skin, DARK, 0.4), 0.035)
    smile = pen.rng.uniform(0.2, 0.25)
    pen.stroke([(-0.11, 0.19), (0, smile), (0.11, 0.19)], (176, 62, 62), 0.05, curved=True)
