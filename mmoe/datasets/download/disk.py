"""Trouble with the disk as one line for the user."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mmoe.errors import DataError

FULL = (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def disk_trouble(path: Path) -> Iterator[None]:
    """Turns an operating system's error into a DataError that names its file, or else `path`.

    Raises:
        DataError: instead of an OSError.
    """
    try:
        yield
    except OSError as error:
        where = error.filename or path
        if error.errno in FULL:
            raise DataError(
                f"{where}: the disk is full; make room and run the command again, "
                "it goes on from what has arrived"
            ) from None
        raise DataError(
            f"{where}: can't be written ({error.strerror or error}); "
            "mend that and run the command again"
        ) from None
