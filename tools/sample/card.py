"""The data card that lies beside the sample, and its contact sheet."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

from mmoe.files import atomic_write
from tools.sample.drawing import KINDS, Scene, contact_sheet
from tools.sample.world import World, WorldEntity

COLUMNS = 8
OF_EACH_KIND = 2

CARD = Path(__file__).with_name("card.md")


def write_sheet(file: Path, world: World, seed: int) -> None:
    """Draws the first entities of each kind, as many kinds as the world has, with their names."""
    shown = [
        entity
        for kind in KINDS
        for entity in [e for e in world.entities if e.kind == kind][:OF_EACH_KIND]
    ]
    sheet = contact_sheet([(_look(entity), entity.name) for entity in shown], COLUMNS, seed)
    stream = io.BytesIO()
    few = sheet.quantize(256, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    few.save(stream, "PNG", optimize=True)
    with atomic_write(file) as temporary:
        temporary.write_bytes(stream.getvalue())


def _look(entity: WorldEntity) -> Scene:
    return Scene(entity.kind, entity.colour, entity.background)
