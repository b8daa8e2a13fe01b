"""A mention's image as it is attached to a question."""

from __future__ import annotations

import base64
import io
from pathlib import Path

from PIL import Image

from mmoe.images import DECODING_ERRORS, read_image

# What vision models take as it is.
_AS_IT_IS = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
_QUALITY = 85
_SIDE = 512  # pixels; larger images are scaled down to it
_MAX_BYTES = 500_000  # after scaling down


def image_url(folder: Path | None, name: str | None) -> tuple[str | None, str]:
    """An image below the data set's raw folder as a data URL, or None, and what became of it, in words.

    A large one is scaled down and sent as JPEG.
    """
    if folder is None or name is None:
        return None, "no image"
    try:
        kind, content = _encoded(read_image(folder, name))
    except FileNotFoundError:
        return None, "file is missing"
    except DECODING_ERRORS:
        return None, "can't be read"
    if len(content) > _MAX_BYTES:
        return None, "too large"
    return f"data:{kind};base64,{base64.b64encode(content).decode()}", "attached"


def _encoded(content: bytes) -> tuple[str, bytes]:
    with Image.open(io.BytesIO(content)) as image:
        image.load()  # a broken image would make the server refuse the question
        if max(image.size) <= _SIDE and image.format in _AS_IT_IS:
            return _AS_IT_IS[image.format], content
        small = image.convert("RGB")
        small.thumbnail((_SIDE, _SIDE))
        stream = io.BytesIO()
        small.save(stream, "JPEG", quality=_QUALITY)
        return "image/jpeg", stream.getvalue()
