"""Which pictures a raw folder holds: every directory is listed once, not asked once a row."""

from __future__ import annotations

import os
import posixpath
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import unquote

from mmoe.errors import DataError
from mmoe.files import sha256_of

PICTURE_ENDINGS = frozenset(
    {".bmp", ".gif", ".jpeg", ".jpg", ".jfif", ".png", ".tif", ".tiff", ".webp"}
)
HASH_THREADS = 8


class PictureFolder:
    """The pictures below `root`, looked up by the name that a record gives.

    Args:
        root: the data set's raw folder; found names are relative to it, with forward slashes.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._listed: dict[str, frozenset[str]] = {}

    def find(self, name: str, where: str) -> str | None:
        """The file that `name` means: as it stands, else percent-decoded; null if there is no such file.

        Raises:
            DataError: if the name is an absolute path or leads out of the folder; begins with `where`.
        """
        for spelling in dict.fromkeys((name, unquote(name))):
            path = _inside(spelling, where)
            parent, base = posixpath.split(path)
            if base in self._files(parent):
                return path
        return None

    def by_stem(self, folder: str) -> dict[str, str]:
        """The pictures directly in `folder` by name without ending, as it stands and percent-decoded.

        Of several endings the first in alphabetical order counts.
        """
        found: dict[str, str] = {}
        names = sorted(self._files(folder))
        pictures = [name for name in names if Path(name).suffix.lower() in PICTURE_ENDINGS]
        for decode in (str, unquote):
            for name in pictures:
                found.setdefault(decode(Path(name).stem), posixpath.join(folder, name))
        return found

    def _files(self, folder: str) -> frozenset[str]:
        if folder not in self._listed:
            try:
                with os.scandir(self.root / folder) as entries:
                    names = frozenset(entry.name for entry in entries if entry.is_file())
            except (FileNotFoundError, NotADirectoryError):
                names = frozenset()
            self._listed[folder] = names
        return self._listed[folder]


def hash_pictures(root: Path, names: set[str]) -> dict[str, str]:
    """SHA-256 of each picture's bytes, read by several threads.

    Raises:
        DataError: if a picture can't be read.
    """

    def digest(name: str) -> str:
        try:
            return sha256_of(root / name)
        except OSError as error:
            raise DataError(
                f"{root / name}: can't be read ({error.strerror}); mend or remove it"
            ) from None

    ordered = sorted(names)
    with ThreadPoolExecutor(HASH_THREADS) as pool:
        return dict(zip(ordered, pool.map(digest, ordered), strict=True))


def _inside(name: str, where: str) -> str:
    path = posixpath.normpath(name.replace("\\", "/"))
    is_drive = len(path) > 1 and path[1] == ":"
    if "\0" in path or is_drive or path.startswith("/") or path.split("/")[0] == "..":
        raise DataError(
            f"{where}: {name!r} leads out of the data set's folder; "
            "name the picture relative to that folder"
        )
    return path
