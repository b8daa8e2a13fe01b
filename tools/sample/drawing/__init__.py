"""Drawings of the sample's world: 24 kinds of things in 8 colours on 8 backgrounds, seeded."""

from __future__ import annotations

from tools.sample.drawing.backgrounds import BACKGROUNDS
from tools.sample.drawing.files import save_image
from tools.sample.drawing.palette import COLOURS
from tools.sample.drawing.pen import SIZE
from tools.sample.drawing.scene import KINDS, Scene, draw, draw_backdrop
from tools.sample.drawing.sheet import contact_sheet
from tools.sample.drawing.words import BACKGROUND_PHRASES, KIND_NOUNS

__all__ = [
    "BACKGROUNDS",
    "BACKGROUND_PHRASES",
    "COLOURS",
    "KINDS",
    "KIND_NOUNS",
    "SIZE",
    "Scene",
    "contact_sheet",
    "draw",
    "draw_backdrop",
    "save_image",
]
