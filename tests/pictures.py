"""Image files that are made for a test: sound ones of many forms, and broken ones."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
from PIL import Image

RED = (250, 10, 20)
LIMIT = 1_000_000  # pixels


def encoded(image: Image.Image, form: str, **options: Any) -> bytes:
    """An image as a file of that form holds it."""
    stream = io.BytesIO()
    image.save(stream, form, **options)
    return stream.getvalue()


def saved(form: str, mode: str = "RGB", size: tuple[int, int] = (30, 20)) -> bytes:
    """An image with a red left and a black right half."""
    image = Image.new("RGB", size)
    image.paste(RED, (0, 0, max(1, size[0] // 2), size[1]))
    return encoded(image.convert(mode), form)


def bomb() -> bytes:
    """A PNG of a few bytes whose head promises 20,000 × 20,000 pixels."""
    content = bytearray(saved("PNG"))
    content[16:24] = struct.pack(">II", 20_000, 20_000)
    content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
    return bytes(content)


def noise(size: tuple[int, int]) -> Image.Image:
    """An image in which every pixel has a colour of its own."""
    rng = np.random.default_rng(size[0])
    return Image.fromarray(rng.integers(0, 256, (size[1], size[0], 3), np.uint8))


GOOD: dict[str, bytes] = {
    "plain.jpg": saved("JPEG"),
    "cmyk.jpg": saved("JPEG", "CMYK"),
    "palette.png": saved("PNG", "P"),
    "clear.png": saved("PNG", "RGBA"),
    "grey.png": saved("PNG", "L"),
    "bits.png": saved("PNG", "1"),
    "dot.png": saved("PNG", size=(1, 1)),
    "thin.png": saved("PNG", size=(3, 50)),
    "moving.gif": saved("GIF"),
    "new.webp": saved("WEBP"),
    "png-in-truth.jpg": saved("PNG"),
    "large.jpg": saved("JPEG", size=(1000, 1000)),
}
# With what is said of them under LIMIT.
BAD: dict[str, tuple[bytes, str]] = {
    "cut.jpg": (saved("JPEG", size=(300, 200))[:-400], "the file is cut off"),
    "cut.png": (saved("PNG")[:60], "the file is cut off"),
    "text.jpg": (
        b"<html>not found</html>",
        "a web page that was saved under the name of an image",
    ),
    "empty.jpg": (b"", "the file is empty"),
    "head.jpg": (saved("JPEG")[:2], "no known image format"),
    "large.png": (
        saved("PNG", size=(1001, 1000)),
        "1,001 × 1,000 pixels are more than encode.max_pixels = 1000000 allows",
    ),
}
