"""Images that lie inside a table, written as files with the ending that their bytes ask for."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from PIL import Image, UnidentifiedImageError

from mmoe.errors import DataError
from mmoe.files import atomic_write, content_key

# Pillow opens MPO, the format of stereo photos, as JPEG and finds out then.
OPENED = ("BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP")
ENDING_OF = {kind: f".{kind.lower()}" for kind in OPENED} | {"JPEG": ".jpg", "MPO": ".jpg"}
# File systems allow 255 bytes a name.
LONGEST_STEM = 200


class ImageWriter:
    """Writes images into one folder.

    Args:
        folder: where the files go.
        called: what that folder will be called in the records.
    """

    def __init__(self, folder: Path, called: str) -> None:
        self.folder = folder
        self.num_written = 0
        self._called = called

    def write_all(self, name: str, listed: Sequence[str | bytes], where: str) -> list[str]:
        """Names for the records: a name stays as it is, bytes become a file called after `name`.

        Raises:
            DataError: if bytes are no image; begins with `where`.
        """
        files = []
        for number, item in enumerate(listed, start=1):
            if isinstance(item, str):
                files.append(item)
                continue
            stem = _stem(name) + (f"-{number}" if len(listed) > 1 else "")
            file = stem + _ending(item, where)
            with atomic_write(self.folder / file) as temporary:
                temporary.write_bytes(item)
            self.num_written += 1
            files.append(f"{self._called}/{file}")
        return files


def _stem(name: str) -> str:
    """A file name for an id: other signs than letters, digits, _ . - ~ are percent-encoded."""
    quoted = quote(name, safe="")
    return quoted if len(quoted) <= LONGEST_STEM else content_key(name)


def _ending(content: bytes, where: str) -> str:
    try:
        with Image.open(io.BytesIO(content), formats=OPENED) as image:
            return ENDING_OF[str(image.format)]
    except UnidentifiedImageError:
        raise DataError(
            f"{where}: {len(content):,} bytes that are no image of a known kind "
            f"({', '.join(OPENED)}); convert the image or leave it out"
        ) from None
    except Image.DecompressionBombError as error:
        raise DataError(f"{where}: {error}; make the image smaller") from None
