"""Contact sheets: many drawings in a grid, each with its caption below."""

from __future__ import annotations

import random
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

from tools.sample.drawing.palette import DARK, WHITE
from tools.sample.drawing.scene import Scene, draw

_CELL, _CAPTION, _GAP = 168, 20, 6  # pixels: an image's side, the line under it, the space between


def contact_sheet(scenes: Sequence[tuple[Scene, str]], columns: int, seed: int = 0) -> Image.Image:
    """Draws the scenes row by row; a caption too long for its image is cut with dots.

    Args:
        scenes: each with its caption.
        columns: images in a row.
        seed: of the drawings.
    Raises:
        ValueError: if there is nothing to draw or `columns` is not positive.
    """
    if not scenes or columns < 1:
        raise ValueError(f"{len(scenes)} scenes in {columns} columns: both must be at least 1")
    rows = -(-len(scenes) // columns)
    sheet = Image.new(
        "RGB", (columns * (_CELL + _GAP) + _GAP, rows * (_CELL + _CAPTION + _GAP) + _GAP), WHITE
    )
    pencil, rng = ImageDraw.Draw(sheet), random.Random(seed)  # noqa: S311 - not for secrets
    for i, (scene, caption) in enumerate(scenes):
        left = _GAP + i % columns * (_CELL + _GAP)
        top = _GAP + i // columns * (_CELL + _CAPTION + _GAP)
        image = draw(scene, rng).resize((_CELL, _CELL), Image.Resampling.LANCZOS)
        sheet.paste(image, (left, top))
        _write(pencil, left, top + _CELL + 2, caption)
    return sheet


def _write(pencil: ImageDraw.ImageDraw, x: int, y: int, caption: str) -> None:
    font = ImageFont.load_default(12)
    shown = caption
    while pencil.textlength(shown, font) > _CELL and len(shown) > 4:
        shown = shown.rstrip(".")[:-1].rstrip() + "..."
    pencil.text((x, y), shown, DARK, font)
