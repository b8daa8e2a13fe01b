"""Decodes the images that an encoder sees."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import BinaryIO

from PIL import Image

from mmoe.images import DECODING_ERRORS, decoding_problem, open_image


class ImageError(Exception):
    """An image that can't be decoded; the run goes on without it."""


def load_image(raw: Path, name: str) -> Image.Image:
    """Decodes an image below the raw folder as RGB; ImageError names the file and what is wrong with it."""
    try:
        with open_image(raw, name) as stream:
            return decode_image(stream)
    except DECODING_ERRORS as error:
        raise ImageError(f"{raw / name}: {decoding_problem(error)}") from None


def decode_image(stream: BinaryIO) -> Image.Image:
    """Decodes an encoded image as RGB; a broken one raises one of `mmoe.images.DECODING_ERRORS`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # odd metadata; an image that decodes is good enough
        with Image.open(stream) as image:
            # A JPEG decodes several times faster at a size still twice what encoders take.
            image.draft("RGB", (448, 448))
            return to_rgb(image)


def to_rgb(image: Image.Image) -> Image.Image:
    """Any image that Pillow has opened, as RGB; those of 16 bits keep their upper eight."""
    if image.mode.startswith("I;16"):  # convert() would clip all but the darkest
        image = image.point(lambda value: value / 256, "L")
    return image.convert("RGB")
