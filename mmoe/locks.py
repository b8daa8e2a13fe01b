"""Folders on which one process works at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout


@contextmanager
def exclusive_lock(folder: Path, lock_name: str, when_busy: Callable[[], None]) -> Iterator[None]:
    """Keeps other processes out of `folder`; a killed one is no hindrance.

    Args:
        folder: is made.
        lock_name: of the file in it that is held meanwhile.
        when_busy: called if another process is at work; says so, and we wait, or raises, and we don't.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / lock_name
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        when_busy()
        lock.acquire()
    try:
        yield
    finally:
        # While it is held: whoever waits sees that its file is gone and makes a new one.
        path.unlink(missing_ok=True)
        lock.release()
