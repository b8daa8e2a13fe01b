"""Pictures small enough to live inside the page."""

from __future__ import annotations

import base64
import io
import warnings
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageOps

from mmoe.pictures import DECODING_ERRORS, open_picture

LONGEST_SIDE = 160
QUALITY = 78


@dataclass(frozen=True)
class Thumbnail:
    """A picture as a data URI with its size in pixels, or a note why there is none."""

    uri: str | None
    width: int
    height: int
    note: str


def thumbnail(raw: Path, picture: str | None) -> Thumbnail:
    """A JPEG of at most 160 pixels a side; whatever is wrong with the file becomes the note.

    Args:
        raw: the folder that `picture` is relative to.
        picture: as records name it; null if there is none.
    """
    if picture is None:
        return Thumbnail(None, 0, 0, "no picture")
    try:
        return _encoded(raw, picture)
    except FileNotFoundError:
        return Thumbnail(None, 0, 0, f"{picture}: no such file")
    except DECODING_ERRORS as error:
        return Thumbnail(None, 0, 0, f"{picture}: unreadable ({type(error).__name__})")


def _encoded(raw: Path, picture: str) -> Thumbnail:
    with warnings.catch_warnings():
        # Odd metadata is warned of while opening already; a picture that decodes is good enough.
        warnings.simplefilter("ignore")
        with open_picture(raw, picture) as stream, Image.open(stream) as image:
            image.draft("RGB", (2 * LONGEST_SIDE, 2 * LONGEST_SIDE))
            turned = ImageOps.exif_transpose(image)
            turned.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
            small = _on_white(turned)
    stream = io.BytesIO()
    small.save(stream, "JPEG", quality=QUALITY, optimize=True)
    uri = "data:image/jpeg;base64," + base64.b64encode(stream.getvalue()).decode("ascii")
    return Thumbnail(uri, *small.size, note="")


def _on_white(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        return image.convert("RGB")
    layer = image.convert("RGBA")
    ground = Image.new("RGBA", layer.size, "white")
    return Image.alpha_composite(ground, layer).convert("RGB")
