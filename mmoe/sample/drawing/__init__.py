"""Drawings of the sample's world: 24 kinds of things in 8 colours on 8 backgrounds, seeded."""

from __future__ import annotations

from mmoe.sample.drawing.backgrounds import BACKGROUNDS
from mmoe.sample.drawing.files import save_picture
from mmoe.sample.drawing.palette import COLOURS
from mmoe.sample.drawing.pen import SIZE
from mmoe.sample.drawing.scene import KINDS, Scene, draw, draw_backdrop
from mmoe.sample.drawing.sheet import contact_sheet
from mmoe.sample.drawing.words import BACKGROUND_PHRASES, KIND_NOUNS

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
    "save_picture",
]
