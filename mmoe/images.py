"""Opens the images of a data set, files and members of an HDF5 file, and decodes them as a viewer shows them.

A record names a file relative to the data set's raw folder, a member as `images.h5::group/key`.
"""

from __future__ import annotations

import io
import os
import struct
import threading
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, UnidentifiedImageError

from mmoe.errors import one_line

ARCHIVE_ENDINGS = (".h5", ".hdf5", ".h5py")
_SEPARATOR = "::"

# HDF5 keeps state for the whole process, so that one thread at a time may be inside it. Each read opens
# the file anew, 0.2 ms beside the decoding of an image: no handle outlives a change of the file or a fork.
_ONE_AT_A_TIME = threading.Lock()

# What Pillow's decoders raise on broken files, tried with some ten thousand of them.
DECODING_ERRORS = (
    OSError,
    ValueError,
    SyntaxError,
    RuntimeError,
    ArithmeticError,
    LookupError,
    TypeError,
    EOFError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)

# JPEG decodes several times faster at a scale that leaves at least so many pixels a side: twice what
# encoders take.
JPEG_SIDE = 448

# Pillow's own limit of pixels is one for the whole process, and ours one for each call.
_OPENING = threading.Lock()

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}  # by the orientation that cameras write

# What white may be in greys of more than 8 bits, by Pillow's mode; in the others and in PGM it is 65,535.
_WHITES = {"I": (255, 65_535), "F": (1, 255, 65_535)}


class ImageError(Exception):
    """An image that can't be read or decoded: why, on one line, in the same words at every run."""


class _TooLargeError(Exception):
    pass


def load_image(root: Path, name: str, max_pixels: int, jpeg_side: int = JPEG_SIDE) -> Image.Image:
    """An image of a data set as RGB; see `read_image` for the name, `decode_image` for the rest."""
    try:
        content = read_image(root, name)
    except OSError as error:
        raise ImageError(reading_problem(root, error)) from None
    return decode_image(content, max_pixels, jpeg_side)


def decode_image(content: bytes, max_pixels: int, jpeg_side: int = JPEG_SIDE) -> Image.Image:
    """Decodes an image as RGB, as `as_shown` says; a function of these bytes alone.

    Args:
        max_pixels: an image of more is not decoded.
        jpeg_side: in pixels; a JPEG may be decoded smaller, but neither side below this.
    Raises:
        ImageError: if it is broken or too large.
    """
    with opened_image(content, max_pixels) as image:
        image.draft("RGB", (jpeg_side, jpeg_side))
        return as_shown(image)


@contextmanager
def opened_image(content: bytes, max_pixels: int) -> Iterator[Image.Image]:
    """Pillow's image of some bytes, its pixels not decoded yet.

    Raises:
        ImageError: if it is broken or has more than `max_pixels`; also for what decoding it inside raises.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd metadata; an image that decodes is good enough
            with _open(io.BytesIO(content)) as image:
                if image.width * image.height > max_pixels:
                    raise _TooLargeError(
                        f"{image.width:,} × {image.height:,} pixels are more than "
                        f"encode.max_pixels = {max_pixels} allows"
                    )
                yield image
    except _TooLargeError as error:
        raise ImageError(str(error)) from None
    except DECODING_ERRORS as error:
        raise ImageError(_decoding_problem(error, content)) from None


def smaller(image: Image.Image, side: int) -> Image.Image:
    """An image reduced by a whole number, so that neither of its sides gets below `side`."""
    factor = min(image.size) // side
    return image.reduce(factor) if factor > 1 else image


def as_shown(image: Image.Image) -> Image.Image:
    """An image that Pillow has opened, as RGB and as a viewer shows it.

    Its first frame, turned as its orientation says, on white where it is transparent; greys of more than
    8 bits are scaled to them.
    """
    image.load()  # what stands behind the pixels may say the orientation
    image = _upright(image)
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return _eight_bits(image).convert("RGB")
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer)
    return image.convert("RGB")


def _open(stream: io.BytesIO) -> Image.Image:
    with _OPENING:
        usual, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            return Image.open(stream)
        finally:
            Image.MAX_IMAGE_PIXELS = usual


def _upright(image: Image.Image) -> Image.Image:
    try:
        orientation: Any = image.getexif().get(ExifTags.Base.Orientation)
    except DECODING_ERRORS:  # broken metadata beside sound pixels
        return image
    return image.transpose(_TURNS[orientation]) if orientation in _TURNS else image


def _eight_bits(image: Image.Image) -> Image.Image:
    """Greys as 8 bits: on the smallest usual scale that holds them, else from lowest to highest."""
    values: NDArray[Any] = np.asarray(image)
    finite = np.isfinite(values)
    known = values[finite]
    lowest, highest = (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)
    is_pgm = image.mode == "I" and image.format == "PPM"
    whites = (65_535,) if is_pgm else _WHITES.get(image.mode, (65_535,))
    white = next((white for white in whites if lowest >= 0 and highest <= white), None)
    low, high = (lowest, highest) if white is None else (0.0, float(white))
    grey = np.zeros(values.shape, np.uint8)
    if high > low:
        scaled = known.astype(np.float64)
        scaled -= low
        scaled *= 255 / (high - low)
        grey[finite] = np.rint(scaled, out=scaled)
    if isinstance(clear := image.info.get("transparency"), int):
        grey[values == clear] = 255
    return Image.fromarray(grey)


def member_name(archive: str, key: str) -> str:
    """How records name the member `key` of the HDF5 file `archive`."""
    return f"{archive}{_SEPARATOR}{key}"


def image_file(root: Path, name: str) -> Path:
    """The file that holds an image: the image itself, or the HDF5 file that it is a member of.

    Raises:
        OSError: if the name, or a symbolic link on the way, leads out of `root`.
    """
    archive, _ = _parts(name)
    if leads_out(root, archive):
        raise PermissionError(f"{root / archive}: {LEADS_OUT}")
    return root / archive


LEADS_OUT = "leads out of the data set's folder; copy the file into the folder"


def leads_out(root: Path, name: str) -> bool:
    """Whether a path below `root` really lies elsewhere, by `..` or by a symbolic link."""
    # realpath, not Path.resolve: it neither raises on a link to itself nor on a name that is too long.
    real_root, real = os.path.realpath(root), os.path.realpath(root / name)
    return real != real_root and not real.startswith(real_root.rstrip(os.sep) + os.sep)


def read_image(root: Path, name: str) -> bytes:
    """An image's encoded bytes; may be called from several threads.

    Args:
        root: the data set's raw folder.
        name: as records name the image, relative to it.
    Raises:
        OSError: if there is no such file or member, it lies outside `root`, or the member holds no image.
    """
    file, (_, key) = image_file(root, name), _parts(name)
    return file.read_bytes() if key is None else _member_bytes(file, key)


def reading_problem(root: Path, error: OSError) -> str:
    """Why `read_image` found nothing below `root`, as an `ImageError` says it."""
    if isinstance(error, FileNotFoundError) and error.errno is not None:
        return "no such file"
    return error.strerror or one_line(error).replace(f"{root}{os.sep}", "")


def _decoding_problem(error: Exception, content: bytes) -> str:
    if not content:
        return "the file is empty"
    if content.lstrip()[:9].lower().startswith((b"<!doctype", b"<html")):
        return "a web page that was saved under the name of an image"
    if b"<svg" in content[:1024].lower():
        return "an SVG drawing, which is not decoded; save it as PNG"
    # Pillow's own message names the stream by its place in memory.
    if isinstance(error, UnidentifiedImageError):
        return "no known image format"
    # … and counts bytes of the block that it has read last.
    if "truncated" in str(error).lower():
        return "the file is cut off"
    return f"broken ({type(error).__name__}: {one_line(error)})"


def archive_keys(archive: Path) -> dict[str, frozenset[str]]:
    """The keys in each group of an HDF5 file, by the group's name; what lies deeper is left out.

    Raises:
        OSError: if the file is missing or no HDF5 file.
    """
    import h5py

    with _ONE_AT_A_TIME, h5py.File(archive, "r", locking="best-effort") as file:
        try:
            found = {
                name: frozenset(group)
                for name, group in file.items()
                if isinstance(group, h5py.Group)
            }
        except (RuntimeError, KeyError, TypeError, ValueError) as error:  # where it is damaged
            raise OSError(one_line(error)) from None
    if any(not isinstance(key, str) for name, keys in found.items() for key in (name, *keys)):
        raise OSError("holds names that are not UTF-8")
    return found


def _parts(name: str) -> tuple[str, str | None]:
    """File and member; a separator in the name of a plain file has no meaning."""
    archive, separator, key = name.partition(_SEPARATOR)
    is_member = separator and archive.lower().endswith(ARCHIVE_ENDINGS)
    return (archive, key) if is_member else (name, None)


def _member_bytes(archive: Path, key: str) -> bytes:
    # Imported here: most data sets hold plain files, and h5py would slow the start of every stage.
    import h5py

    where = f"{archive}, member {key!r}"
    with _ONE_AT_A_TIME, h5py.File(archive, "r", locking="best-effort") as file:
        try:
            member = file[key]
            if isinstance(member, h5py.Dataset) and _lies_elsewhere(file, member):
                raise PermissionError(
                    f"{where}: its values lie in another file; copy them into this one"
                )
            value = member[()] if isinstance(member, h5py.Dataset) else None
        except KeyError:
            raise FileNotFoundError(f"{where}: no such member") from None
        except (RuntimeError, TypeError, ValueError) as error:
            raise OSError(f"{where}: {one_line(error)}") from None
    return _encoded(value, where)


def _lies_elsewhere(file: Any, member: Any) -> bool:
    """Whether HDF5 would fetch a member's values from another file: by a link, or from raw or mapped ones."""
    return bool(member.file.filename != file.filename or member.external or member.is_virtual)


def _encoded(value: Any, where: str) -> bytes:
    """The bytes of an encoded image as they are; an H×W×3 array as PNG, the same at every call."""
    if isinstance(value, bytes):
        return bytes(value)
    kind = getattr(value, "dtype", None)
    shape: tuple[int, ...] = getattr(value, "shape", None) or ()
    if kind is not None and kind.kind == "V" and shape == ():
        return bytes(value.tobytes())
    if kind == "uint8" and len(shape) == 1:
        return bytes(value.tobytes())
    if kind == "uint8" and len(shape) == 3 and shape[2] == 3 and 0 not in shape:
        stream = io.BytesIO()
        # Stored, not deflated: quick, and no other zlib makes other bytes.
        Image.fromarray(value).save(stream, "PNG", compress_level=0)
        return stream.getvalue()
    found = "a group" if value is None else f"{kind or type(value).__name__} of shape {shape}"
    raise OSError(
        f"{where}: wanted the bytes of an image or an H×W×3 array of uint8, found {found}"
    )
