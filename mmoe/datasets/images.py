"""Which images a raw folder holds: every directory is listed once, not asked once a row."""

from __future__ import annotations

import os
import posixpath
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote

from mmoe.errors import DataError
from mmoe.images import LEADS_OUT, leads_out

IMAGE_ENDINGS = frozenset(
    {".bmp", ".gif", ".jpeg", ".jpg", ".jfif", ".png", ".tif", ".tiff", ".webp"}
)

LONGEST_NAME = 255  # bytes; file systems allow no more


class ImageFolder:
    """The images below `root`, looked up by the name that a record gives.

    Args:
        root: the data set's raw folder; found names are relative to it, with forward slashes.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._listed: dict[str, frozenset[str]] = {}
        self._is_inside: dict[str, bool] = {}
        self._links: dict[str, str] = {}  # path -> why it is refused

    def find(self, name: str, where: str) -> str | None:
        """The file that `name` means: as it stands, else percent-decoded; None if there is no such file.

        Raises:
            DataError: if the name is an absolute path, too long, or leads out of the folder, by itself or by
                a symbolic link; begins with `where`.
        """
        for spelling in dict.fromkeys((name, unquote(name))):
            path = _inside(spelling, where)
            parent, base = posixpath.split(path)
            if base in self.names(parent):
                return self.checked(path, where)
        return None

    def checked(self, path: str, where: str = "") -> str:
        """`path`, a file that is there, if it really lies in the folder.

        Raises:
            DataError: if it is a symbolic link to a file elsewhere, or to itself.
        """
        if path in self._links:
            raise DataError(f"{where or self.root}: {path!r} {self._links[path]}")
        return path

    def by_stem(self, folder: str) -> dict[str, str]:
        """The images directly in `folder` by name without ending, as it stands and percent-decoded.

        Of several endings the first in alphabetical order counts. Raises as `checked`.
        """
        found: dict[str, str] = {}
        names = sorted(self.names(folder))
        images = [name for name in names if Path(name).suffix.lower() in IMAGE_ENDINGS]
        for decode in (str, unquote):
            for name in images:
                path = self.checked(posixpath.join(folder, name))
                found.setdefault(decode(Path(name).stem), path)
        return found

    def names(self, folder: str) -> frozenset[str]:
        """The files directly in `folder`, links that lead nowhere among them; none if it is no folder."""
        if folder not in self._listed:
            try:
                with os.scandir(self.root / folder) as entries:
                    found = [entry.name for entry in entries if self._is_file(folder, entry)]
            except OSError:  # no such folder, a file, a name that is too long, a link to itself
                found = []
            self._listed[folder] = frozenset(found)
        return self._listed[folder]

    def _is_file(self, folder: str, entry: os.DirEntry[str]) -> bool:
        """Whether it is a file; a link, or what lies behind a link of a folder, is looked at closely."""
        if folder not in self._is_inside:
            self._is_inside[folder] = not leads_out(self.root, folder)
        path = posixpath.join(folder, entry.name)
        if self._is_inside[folder] and not entry.is_symlink():
            return entry.is_file()
        if leads_out(self.root, path):
            self._links[path] = f"is a symbolic link and {LEADS_OUT}"
            return True
        try:
            return entry.is_file()
        except OSError:
            self._links[path] = "is a symbolic link to itself; replace it by the file"
            return True


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
        self._images = images
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
        """The file, relative to the raw folder; None if there is none.

        Raises:
            DataError: if it is a symbolic link that leads out of the folder.
        """
        name = posixpath.basename(listed.replace("\\", "/"))
        found = self._exact.get(name) or self._by_spelling.get(_spelling(name))
        if found is None and self._cut_at_dot:
            found = self._by_spelling.get(_spelling(name.partition(".")[0]))
        return None if found is None else self._images.checked(found)


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
    if max(len(part.encode()) for part in path.split("/")) > LONGEST_NAME:
        raise DataError(f"{where}: {name[:40]!r} … is longer than a file's name may be; shorten it")
    return path
