"""What a complete download notes in the folder: the pinned sources, and the hashes of what it wrote."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmoe.datasets.download.sources import Source
from mmoe.errors import DataError
from mmoe.files import read_json, sha256_of, write_json

RECEIPT = ".download.json"


def write(folder: Path, files: Mapping[str, Sequence[Source]]) -> None:
    """Notes from which sources the files of `folder` were made; no times, no addresses.

    Args:
        files: name -> its sources.
    """
    noted = {
        name: {"sha256": sha256_of(folder / name), "from": _pins(sources)}
        for name, sources in files.items()
    }
    write_json(folder / RECEIPT, noted)


def holds(folder: Path, name: str, sources: Sequence[Source]) -> bool:
    """Whether `name` was made from just these sources and has not changed since."""
    noted = _read(folder).get(name, {})
    file = folder / name
    same = noted.get("from") == _pins(sources) and file.is_file()
    return same and sha256_of(file) == noted.get("sha256")


def written_hashes(folder: Path) -> set[str]:
    """SHA-256 of each file that the last complete download wrote; empty if there was none."""
    return {noted["sha256"] for noted in _read(folder).values() if "sha256" in noted}


def _pins(sources: Sequence[Source]) -> dict[str, str]:
    return {f"{s.repository}@{s.commit}:{s.path}": s.sha256 for s in sources}


def _read(folder: Path) -> dict[str, dict[str, Any]]:
    path = folder / RECEIPT
    if not path.is_file():
        return {}
    content = read_json(path)
    if not isinstance(content, dict) or not all(isinstance(v, dict) for v in content.values()):
        raise DataError(f"{path}: isn't what this command writes; remove it and run it again")
    return content
