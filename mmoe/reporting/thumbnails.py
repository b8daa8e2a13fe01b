"""Images small enough to live inside the page."""

from __future__ import annotations

import base64
import io
import warnings
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageOps

from mmoe.images import DECODING_ERRORS, open_image

LONGEST_SIDE = 160
QUALITY = 78


@dataclass(frozen=True)
class Thumbnail:
    """An image as a data URI with its size in pixels, or a note why there is none."""

    uri: str | None
    width: int
    height: int
    note: str


def thumbnail(raw: Path, image: str | None) -> Thumbnail:
    """A JPEG of at most 160 pixels a side; whatever is wrong with the file becomes the note.

    Args:
        raw: the folder that `image` is relative to.
        image: as records name it; None if there is none.
    """
    if image is None:
        return Thumbnail(None, 0, 0, "no image")
    try:
        return _encoded(raw, image)
    except FileNotFoundError:
        return Thumbnail(None, 0, 0, f"{image}: no such file")
    except DECODING_ERRORS as error:
        return Thumbnail(None, 0, 0, f"{image}: unreadable ({type(error).__name__})")


def _encoded(raw: Path, image: str) -> Thumbnail:
    with warnings.catch_warnings():
        # Odd metadata is warned of while opening already; an image that decodes is good enough.
        warnings.simplefilter("ignore")
        with open_image(raw, image) as stream, Image.open(stream) as decoded:
            decoded.draft("RGB", (2 * LONGEST_SIDE, 2 * LONGEST_SIDE))
            turned = ImageOps.exif_transpose(decoded)
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
