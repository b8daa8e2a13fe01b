"""Opens the images of a data set: files, and members of an HDF5 file.

A record names a file relative to the data set's raw folder, a member as `images.h5::group/key`.
"""

from __future__ import annotations

import io
import os
import struct
import threading
import zlib
from pathlib import Path
from typing import Any, BinaryIO

from PIL import Image, UnidentifiedImageError

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


def open_image(root: Path, name: str) -> BinaryIO:
    """An image's encoded bytes as a stream; may be called from several threads.

    Args:
        root: the data set's raw folder.
        name: as records name the image, relative to it.
    Raises:
        OSError: if there is no such file or member, it lies outside `root`, or the member holds no image.
    """
    file, (_, key) = image_file(root, name), _parts(name)
    return file.open("rb") if key is None else io.BytesIO(_member_bytes(file, key))


def read_image(root: Path, name: str) -> bytes:
    """An image's encoded bytes.

    Raises:
        OSError: as `open_image`.
    """
    with open_image(root, name) as stream:
        return stream.read()


def decoding_problem(error: Exception, content: bytes | None = None) -> str:
    """Why an image can't be decoded, on one line and in the same words at every run.

    Args:
        content: the image's bytes, if they are at hand: an empty file and a web page are then named.
    """
    if content is not None and not content:
        return "the file is empty"
    if content is not None and content.lstrip()[:9].lower().startswith((b"<!doctype", b"<html")):
        return "a web page that was saved under the name of an image"
    # Pillow's own message names the stream by its place in memory.
    unknown = isinstance(error, UnidentifiedImageError)
    return f"{type(error).__name__}: {'no known image format' if unknown else one_line(error)}"


def archive_keys(archive: Path) -> dict[str, frozenset[str]]:
    """The keys in each group of an HDF5 file, by the group's name; what lies deeper is left out.

    Raises:
        OSError: if the file is missing or no HDF5 file.
    """
    import h5py

    with _ONE_AT_A_TIME, h5py.File(archive, "r", locking="best-effort") as file:
        return {
            name: frozenset(group) for name, group in file.items() if isinstance(group, h5py.Group)
        }


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
