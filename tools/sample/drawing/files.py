"""Images on disk: flat colours fit a palette, and so make small files without loss."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

from mmoe.files import atomic_write

_MOST = 256  # colours in a PNG's palette


def save_image(image: Image.Image, path: Path) -> None:
    """Writes a drawing as PNG without loss, with a palette where its colours fit in one.

    Args:
        image: an RGB image.
        path: where to; the file appears whole or not at all, equal images give equal bytes.
    """
    forms = [_encoded(image)]
    colours = image.getcolors(_MOST)
    if colours is not None:
        few = image.quantize(len(colours), Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        if few.convert("RGB").tobytes() == image.tobytes():
            forms.append(_encoded(few))
    with atomic_write(path) as temporary:
        temporary.write_bytes(min(forms, key=len))


def _encoded(image: Image.Image) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "PNG", optimize=True)
    return stream.getvalue()
