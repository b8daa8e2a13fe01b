"""A SQLite file in a cache folder of the user's, which outlives runs and may be shared by processes."""

from __future__ import annotations

import os
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import platformdirs
from filelock import FileLock

from mmoe.errors import MmoeError, one_line

PATIENCE = 60.0  # seconds for which a process waits while another one writes

CACHE = "MMOE_CACHE"  # names a folder in the place of the user's cache folder

# What reading content raises that is not as we wrote it, besides SQLite's own complaints.
_BROKEN = (zlib.error, ValueError, TypeError, KeyError)


def default_cache_folder() -> Path:
    """Where answers are kept: MMOE_CACHE, or else the user's cache folder."""
    return Path(os.environ.get(CACHE) or platformdirs.user_cache_dir("mmoe"))


class SqliteCache:
    """The file of a cache, open; threads that share it take turns by a lock of their own."""

    def __init__(self, path: Path, table: str, version: int, error: type[MmoeError]) -> None:
        """Opens the file, or makes it.

        Args:
            table: the statement that makes the table, if there is none yet.
            version: of the table; a file of another one is refused.
            error: raised in the place of what SQLite or the disk complain about.
        Raises:
            MmoeError: `error`, if the folder can't be used or the file is no cache of ours.
        """
        self.path, self._error = path, error
        with self._trouble():
            path.parent.mkdir(parents=True, exist_ok=True)
            # SQLite does not wait for its turn to switch to a write-ahead log.
            with FileLock(path.with_name(f"{path.name}.opening")):
                self._database = sqlite3.connect(
                    path, timeout=PATIENCE, isolation_level=None, check_same_thread=False
                )
                self._prepare(table, version)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self._database.close()

    def _prepare(self, table: str, version: int) -> None:
        self._database.execute("PRAGMA journal_mode = WAL")
        # Enough against a killed process; a power cut may lose what came last, never the file.
        self._database.execute("PRAGMA synchronous = NORMAL")
        (found,) = self._database.execute("PRAGMA user_version").fetchone()
        if found not in (0, version):
            raise self._error(
                f"{self.path}: of version {found}, this program knows {version}; "
                "delete it or name another folder in MMOE_CACHE"
            )
        self._database.execute(table)
        self._database.execute(f"PRAGMA user_version = {version}")

    @contextmanager
    def _trouble(self) -> Iterator[None]:
        """Turns what SQLite or the disk complain about into one line that says what to do."""
        try:
            yield
        except (sqlite3.DatabaseError, *_BROKEN) as error:
            raise self._error(
                f"{self.path}: can't be used ({one_line(error)}); make room on the disk, or delete it if "
                "it is broken, or name another folder in MMOE_CACHE"
            ) from None
        except OSError as error:
            raise self._error(
                f"{self.path.parent}: can't be written ({error.strerror or one_line(error)}); "
                "name another folder in MMOE_CACHE"
            ) from None
