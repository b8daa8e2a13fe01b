"""Work that killed runs have left, which is kept for the day that their parameters come back."""

from __future__ import annotations

from pathlib import Path

from mmoe.files import remove_folder

KEPT = 3


def drop_stale(work: Path) -> None:
    """Of unfinished trainings with other parameters, data or code, keeps those that were at work last.

    Args:
        work: folder of the training of now; those of others stand beside it.
    """
    others = [folder for folder in work.parent.glob("*/") if folder != work]
    others.sort(key=lambda folder: folder.stat().st_mtime_ns, reverse=True)
    for folder in others[KEPT:]:
        remove_folder(folder)
    if dropped := others[KEPT:]:
        print(
            f"{work.parent}: {len(dropped)} unfinished trainings with other settings removed; the newest "
            f"{KEPT} are kept"
        )
