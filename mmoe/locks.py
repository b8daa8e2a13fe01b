"""Folders on which one process works at a time, and who that is; folders that several read."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import socket
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from mmoe.errors import BusyError

NO_LOCKS = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS)


@contextmanager
def exclusive_lock(
    folder: Path, lock_name: str = ".lock", when_busy: Callable[[], None] | None = None
) -> Iterator[None]:
    """Keeps other processes out of `folder`; one that was killed blocks nobody. On a disk without locks all
    may work at the same time.

    Args:
        folder: is made.
        lock_name: of the file in it that is held meanwhile.
        when_busy: called if another process is at work; says so, and we wait, or raises, and we don't.
    Raises:
        BusyError: if another process is at work and there is no `when_busy`; says who, and since when.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / lock_name
    os.close(
        os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    )  # or says why not: the lock would wait for ever
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        if when_busy is None:
            raise BusyError(
                f"{folder}: {lock_holder(folder, lock_name)} is at work here; wait until it has "
                "finished, or stop it, and run the command again"
            ) from None
        when_busy()
        lock.acquire()
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
    holder = _holder_file(path)
    try:
        now = time.strftime("%Y-%m-%d %H:%M:%S")
        holder.write_text(f"process {os.getpid()} on {socket.gethostname()}, since {now},", "utf-8")
        yield
    finally:
        # While it is held: whoever waits sees that its file is gone and makes a new one.
        holder.unlink(missing_ok=True)
        path.unlink(missing_ok=True)
        lock.release()


def lock_holder(folder: Path, lock_name: str = ".lock") -> str:
    """Who holds the lock and since when, for a message: "process 17 on anna, since 2026-05-01 09:30:00,"."""
    try:
        # Not in the lock's own file, which is emptied by everyone who tries to take it.
        return _holder_file(folder / lock_name).read_text("utf-8") or "another process"
    except OSError:
        return "another process"


def _holder_file(path: Path) -> Path:
    return path.with_name(f"{path.name}.holder")


class InUse:
    """Says that what a file belongs to is in use, for as long as this object lives or its process does."""

    def __init__(self, file: Path) -> None:
        descriptor = os.open(file, os.O_RDONLY)
        weakref.finalize(self, os.close, descriptor)
        fcntl.flock(descriptor, fcntl.LOCK_SH)


def remove_unused(folder: Path, file: Path) -> bool:
    """Removes a folder unless somebody holds an `InUse` of one of its files; returns whether it did."""
    try:
        descriptor = os.open(file, os.O_RDONLY)
    except FileNotFoundError:  # never finished, or half removed by a process that was killed
        shutil.rmtree(folder)
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True
