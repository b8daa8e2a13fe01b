"""Which images a raw folder holds: every directory is listed once, not asked once a row."""

from __future__ import annotations

import os
import posixpath
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote

from mmoe.errors import DataError

IMAGE_ENDINGS = frozenset(
    {".bmp", ".gif", ".jpeg", ".jpg", ".jfif", ".png", ".tif", ".tiff", ".webp"}
)


class ImageFolder:
    """The images below `root`, looked up by the name that a record gives.

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
            if base in self.names(parent):
                return path
        return None

    def by_stem(self, folder: str) -> dict[str, str]:
        """The images directly in `folder` by name without ending, as it stands and percent-decoded.

        Of several endings the first in alphabetical order counts.
        """
        found: dict[str, str] = {}
        names = sorted(self.names(folder))
        images = [name for name in names if Path(name).suffix.lower() in IMAGE_ENDINGS]
        for decode in (str, unquote):
            for name in images:
                found.setdefault(decode(Path(name).stem), posixpath.join(folder, name))
        return found

    def names(self, folder: str) -> frozenset[str]:
        """The files directly in `folder`; none if there is no such folder."""
        if folder not in self._listed:
            try:
                with os.scandir(self.root / folder) as entries:
                    names = frozenset(entry.name for entry in entries if entry.is_file())
            except (FileNotFoundError, NotADirectoryError):
                names = frozenset()
            self._listed[folder] = names
        return self._listed[folder]


class NamedImages:
    """Finds the image that a record means among the files of some folders, however its name is spelt.

    A name is looked up without its folders: as it stands, then whatever its ending, its percent-encoding
    and the form of its accents.

    Args:
        folders: below the raw folder; the first one that holds the name counts.
        cut_at_dot: at last look for what stands before the name's first dot: all that the MIMIC release
            kept of the name of a mention's image when it made the image a .jpg.
    """

    def __init__(
        self, images: ImageFolder, folders: Sequence[str], cut_at_dot: bool = False
    ) -> None:
        self._cut_at_dot = cut_at_dot
        self._exact: dict[str, str] = {}
        self._by_spelling: dict[str, str] = {}
        for folder in folders:
            for name in sorted(images.names(folder)):
                path = posixpath.join(folder, name)
                self._exact.setdefault(name, path)
                if Path(name).suffix.lower() in IMAGE_ENDINGS:
                    self._by_spelling.setdefault(_spelling(name), path)

    def find(self, listed: str) -> str | None:
        """The file, relative to the raw folder; null if there is none."""
        name = posixpath.basename(listed.replace("\\", "/"))
        found = self._exact.get(name) or self._by_spelling.get(_spelling(name))
        if found is None and self._cut_at_dot:
            return self._by_spelling.get(_spelling(name.partition(".")[0]))
        return found


def _spelling(name: str) -> str:
    """An image's name in the form in which names are compared."""
    stem, dot, ending = name.rpartition(".")
    is_image = f"{dot}{ending}".lower() in IMAGE_ENDINGS | {".svg"}
    return unicodedata.normalize("NFC", unquote(stem if stem and is_image else name))


def _inside(name: str, where: str) -> str:
    path = posixpath.normpath(name.replace("\\", "/"))
    is_drive = len(path) > 1 and path[1] == ":"
    if "\0" in path or is_drive or path.startswith("/") or path.split("/")[0] == "..":
        raise DataError(
            f"{where}: {name!r} leads out of the data set's folder; "
            "name the image relative to that folder"
        )
    return path
