"""Replies kept on disk, so that no question is paid for twice: one SQLite file that processes may share."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Self

from filelock import FileLock

from mmoe.errors import RankingError, one_line
from mmoe.ranking.asking.types import FINAL, REJECTED, Reply

FILE = "llm-replies.sqlite"
VERSION = 1  # of the table below; a file of another one is refused
PATIENCE = 60.0  # seconds for which a process waits while another one writes
REJECTED_FOR = (
    86400.0  # seconds for which a rejection holds: it cost nothing, and servers are mended
)

_KEYS_AT_ONCE = 500
_TABLE = """
CREATE TABLE IF NOT EXISTS replies (
    key TEXT PRIMARY KEY,
    outcome TEXT NOT NULL,
    given REAL NOT NULL,
    reply TEXT NOT NULL
) WITHOUT ROWID
"""


class ReplyCache:
    """The kept replies of a folder; any number of processes may use it at once."""

    def __init__(self, folder: Path, wall: Callable[[], float] = time.time) -> None:
        """Opens the file, or makes it.

        Args:
            wall: tells the seconds since 1970.
        Raises:
            RankingError: if the folder can't be used or the file is no cache of ours.
        """
        self.path = folder / FILE
        self._wall = wall
        with _trouble(self.path):
            folder.mkdir(parents=True, exist_ok=True)
            # SQLite does not wait for its turn to switch to a write-ahead log.
            with FileLock(folder / f"{FILE}.opening"):
                self._database = sqlite3.connect(self.path, timeout=PATIENCE, isolation_level=None)
                self._prepare()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._database.close()

    def get(self, keys: Sequence[str]) -> dict[str, Reply]:
        """The replies that are kept, by key."""
        found: dict[str, Reply] = {}
        for start in range(0, len(keys), _KEYS_AT_ONCE):
            some = keys[start : start + _KEYS_AT_ONCE]
            marks = ", ".join("?" * len(some))
            query = f"SELECT outcome, given, reply FROM replies WHERE key IN ({marks})"  # noqa: S608
            with _trouble(self.path):
                for outcome, given, text in self._database.execute(query, some):
                    if outcome not in REJECTED or given > self._wall() - REJECTED_FOR:
                        reply = _read(text)
                        found[reply.key] = reply
        return found

    def put(self, reply: Reply) -> None:
        """Keeps a reply that is final; it is on disk when this returns."""
        assert reply.outcome in FINAL
        row = (reply.key, reply.outcome, self._wall(), json.dumps(asdict(reply)))
        with _trouble(self.path):
            self._database.execute("INSERT OR REPLACE INTO replies VALUES (?, ?, ?, ?)", row)

    def _prepare(self) -> None:
        self._database.execute("PRAGMA journal_mode = WAL")
        # Enough against a killed process; a power cut may lose the last replies, never the file.
        self._database.execute("PRAGMA synchronous = NORMAL")
        (version,) = self._database.execute("PRAGMA user_version").fetchone()
        if version not in (0, VERSION):
            raise RankingError(
                f"{self.path}: of version {version}, this program knows {VERSION}; "
                "delete it or name another folder in MMOE_CACHE"
            )
        self._database.execute(_TABLE)
        self._database.execute(f"PRAGMA user_version = {VERSION}")


def _read(text: str) -> Reply:
    fields = json.loads(text)
    tokens = fields["top_tokens"]
    return Reply(**fields | {"top_tokens": tokens and [(token, value) for token, value in tokens]})


@contextmanager
def _trouble(path: Path) -> Iterator[None]:
    """Turns what SQLite or the disk complain about into one line that says what to do."""
    try:
        yield
    except (sqlite3.DatabaseError, ValueError, TypeError, KeyError) as error:
        raise RankingError(
            f"{path}: can't be used ({one_line(error)}); make room on the disk, or delete it if it is "
            "broken, or name another folder in MMOE_CACHE"
        ) from None
    except OSError as error:
        raise RankingError(
            f"{path.parent}: can't be written ({error.strerror or one_line(error)}); "
            "name another folder in MMOE_CACHE"
        ) from None
