"""Folders that one run at a time writes to; what a killed run leaves there, the next one goes on with."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mmoe.errors import WikidataError, one_line
from mmoe.locks import exclusive_lock


@contextmanager
def exclusive_folder(folder: Path, lock: str, wait: bool = False) -> Iterator[None]:
    """Keeps other runs out of a folder, which is made.

    Args:
        lock: name of the lock file in it.
        wait: until another run has ended; otherwise it is an error.
    Raises:
        BusyError: if another run works there.
        WikidataError: if the folder can't be read or written.
    """

    def busy() -> None:
        print(f"{folder}: waits for another run with this folder", file=sys.stderr)

    try:
        with exclusive_lock(folder, lock, busy if wait else None):
            yield
    except OSError as error:
        where, what = error.filename or folder, error.strerror or one_line(error)
        raise WikidataError(
            f"{where}: can't be read or written ({what}); mend that or make room, and run the command "
            "again: it goes on from what is done"
        ) from None
