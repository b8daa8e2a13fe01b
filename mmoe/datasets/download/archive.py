"""The one JSON file of a zip; what stands in an archive decides nothing about where it is written."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path, PurePosixPath

from mmoe.errors import DataError, one_line
from mmoe.files import atomic_write

LARGEST = 256 * 1024**2  # bytes; the known members hold less than a tenth
MAC_EXTRAS = "__MACOSX"  # macOS puts a copy of each name there, with the file's attributes in it


def extract_json(archive: Path, target: Path, largest: int = LARGEST) -> None:
    """Writes the only .json member of `archive` to `target`.

    Args:
        largest: the size in bytes beyond which a member is refused.
    Raises:
        DataError: if it is no zip, or holds none or several, or one that is unsafe or too large.
    """
    try:
        with zipfile.ZipFile(archive) as content:
            member = _only_json(archive, content)
            if member.file_size > largest:
                raise DataError(
                    f"{archive}: {member.filename!r} holds {member.file_size:,} bytes, more than "
                    f"the {largest:,} that are taken; look into the archive"
                )
            with (
                content.open(member) as packed,
                atomic_write(target) as temporary,
                temporary.open("wb") as out,
            ):
                shutil.copyfileobj(packed, out)
    # RuntimeError: the member is encrypted, or packed by a method that Python lacks.
    except (zipfile.BadZipFile, RuntimeError) as error:
        raise DataError(
            f"{archive}: can't be unpacked ({one_line(error)}); remove it and fetch it again"
        ) from None


def _only_json(archive: Path, content: zipfile.ZipFile) -> zipfile.ZipInfo:
    for member in content.infolist():
        if _leads_out(member.filename):
            raise DataError(
                f"{archive}: member {member.filename!r} leads out of the archive; don't use this file"
            )
    found = [
        member
        for member in content.infolist()
        if member.filename.lower().endswith(".json")
        and PurePosixPath(member.filename).parts[0] != MAC_EXTRAS
    ]
    if len(found) != 1:
        names = ", ".join(member.filename for member in found) or "none"
        raise DataError(f"{archive}: wanted one .json member, found {names}; look into the archive")
    return found[0]


def _leads_out(name: str) -> bool:
    path = name.replace("\\", "/")
    return path.startswith("/") or path[1:2] == ":" or ".." in path.split("/")
