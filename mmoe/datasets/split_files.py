"""The files that hold one split each, as `WikiMEL_train.json`."""

from __future__ import annotations

import re
from pathlib import Path

from mmoe.errors import DataError
from mmoe.records import SPLITS

_NAMES = "|".join((*SPLITS, "dev"))


def has_split_file(folder: Path, ending: str) -> bool:
    """Whether the folder holds the file of at least one split."""
    return bool(_found(folder, ending))


def split_files(folder: Path, ending: str) -> dict[str, Path]:
    """The file of each split: `train`, `valid` (or `dev`) and `test`, alone or after `<name>_`.

    Args:
        ending: .json or .jsonl.
    Raises:
        DataError: if a split has no file or two, or the folder holds more than one data set.
    """
    found = _found(folder, ending)
    shown = ", ".join(sorted(path.name for _, _, path in found)) or "none"
    sets = sorted({name for name, _, _ in found})
    if len(sets) > 1:
        raise DataError(
            f"{folder}: holds the splits of {len(sets)} data sets ({shown}); "
            "give each data set a folder of its own"
        )
    files: dict[str, Path] = {}
    for _, split, path in sorted(found):
        other = files.setdefault(split, path)
        if other != path:
            raise DataError(
                f"{folder}: holds {other.name} and {path.name} for split {split}; remove one of them"
            )
    missing = [split for split in SPLITS if split not in files]
    if missing:
        raise DataError(
            f"{folder}: no file for {' and '.join(missing)}: wanted <name>_<split>{ending} for "
            f"train, valid (or dev) and test, found {shown}; put the missing ones there"
        )
    return {split: files[split] for split in SPLITS}


def _found(folder: Path, ending: str) -> list[tuple[str, str, Path]]:
    """Data set, split and path of each file."""
    pattern = re.compile(rf"(?:(?P<name>.+)_)?(?P<split>{_NAMES}){re.escape(ending)}")
    matches = [(pattern.fullmatch(path.name), path) for path in folder.glob(f"*{ending}")]
    return [
        (match["name"] or "", "valid" if match["split"] == "dev" else match["split"], path)
        for match, path in matches
        if match is not None and path.is_file() and not path.name.startswith(".")
    ]
