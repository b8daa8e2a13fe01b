"""Answers kept on disk, so that no question is asked twice: one SQLite file that processes may share.

A key is a hash of the address and the parameters; who asked is no part of it. Only good answers come here,
compressed, with the time at which they were given; a reader says how old an answer may be.
"""

from __future__ import annotations

import sqlite3
import threading
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from mmoe.errors import WikidataError
from mmoe.sqlite_cache import SqliteCache, default_cache_folder

FILE = "wikidata-answers.sqlite"
VERSION = 1  # of the table below; a file of another one is refused
DAY = 86400.0

_FOREVER = 1e9  # days
_TABLE = """
CREATE TABLE IF NOT EXISTS answers (
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    given REAL NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (kind, key)
) WITHOUT ROWID
"""
_FIND = """
SELECT key, body FROM answers
WHERE kind = ? AND given > ? AND key IN (SELECT value FROM json_each(?))
"""
_KINDS = """
SELECT kind, count(*), coalesce(sum(length(body)), 0), min(given), max(given)
FROM answers WHERE given <= ? GROUP BY kind ORDER BY kind
"""


class KindOfAnswers(NamedTuple):
    """What is kept of one kind; ages in days."""

    kind: str
    answers: int
    num_bytes: int
    oldest: float
    newest: float


class AnswerCache(SqliteCache):
    """The kept answers of a folder; any number of threads and processes may use it at once."""

    def __init__(self, folder: Path, days: float, wall: Callable[[], float] = time.time) -> None:
        """Opens the file, or makes it.

        Args:
            days: beyond which an answer is too old to be given out.
            wall: tells the seconds since 1970.
        Raises:
            WikidataError: if the folder can't be used or the file is no cache of ours.
        """
        super().__init__(folder / FILE, _TABLE, VERSION, WikidataError)
        self._days, self._wall = days, wall
        self._lock = threading.Lock()

    def get(self, kind: str, keys: Sequence[str]) -> dict[str, Any]:
        """The answers that are kept and not too old, by key."""
        since = self._wall() - self._days * DAY
        wanted = orjson.dumps(keys).decode()
        with self._trouble():
            with self._lock:
                rows = self._database.execute(_FIND, (kind, since, wanted)).fetchall()
            return {key: orjson.loads(zlib.decompress(body)) for key, body in rows}

    def put(self, kind: str, answers: Mapping[str, Any]) -> None:
        """Keeps answers; they are on disk when this returns, all of them or none."""
        now = self._wall()
        rows = [
            (kind, key, now, zlib.compress(orjson.dumps(answer), 6))
            for key, answer in answers.items()
        ]
        # The connection commits at the end of the block, and rolls back if it fails.
        with self._lock, self._trouble(), self._database:
            self._database.execute("BEGIN IMMEDIATE")
            self._database.executemany("INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?)", rows)

    def kinds(self, older_than_days: float = 0) -> list[KindOfAnswers]:
        """What is kept for at least so many days, by kind."""
        now = self._wall()
        with self._lock, self._trouble():
            rows = self._database.execute(_KINDS, (now - older_than_days * DAY,)).fetchall()
        return [
            KindOfAnswers(kind, num, size, (now - oldest) / DAY, (now - newest) / DAY)
            for kind, num, size, oldest, newest in rows
        ]

    def remove(self, older_than_days: float = 0) -> int:
        """Forgets what is kept for at least so many days; returns the number of answers."""
        until = self._wall() - older_than_days * DAY
        with self._lock, self._trouble():
            removed = self._database.execute(
                "DELETE FROM answers WHERE given <= ?", (until,)
            ).rowcount
            # Gives the space back, unless another process reads: then a later one does.
            with suppress(sqlite3.OperationalError):
                self._database.execute("VACUUM")
        return removed


def describe_cache(
    folder: Path | None, older_than_days: float = 0, clear: bool = False
) -> list[str]:
    """What a folder keeps, a line for each kind of answers, or how much of it was forgotten.

    Args:
        folder: None for that of the user.
        clear: whether answers of at least that age are removed; otherwise the folder is left as it is.
    """
    folder = folder or default_cache_folder()
    file = folder / FILE
    if not file.is_file():
        return [f"{file}: nothing is kept"]
    with AnswerCache(folder, _FOREVER) as cache:
        if clear:
            removed = cache.remove(older_than_days)
            return [f"{file}: {removed:,} answers forgotten, {_size(file)} left"]
        kinds = cache.kinds(older_than_days)
    lines = [
        f"{kind.kind:8}{kind.answers:>10,} answers  {kind.num_bytes / 1e6:>10,.1f} MB  "
        f"{kind.newest:.1f} to {kind.oldest:.1f} days old"
        for kind in kinds
    ]
    return [f"{file}: {_size(file)}", *(lines or ["no answers"])]


def _size(file: Path) -> str:
    parts = (file, file.with_name(f"{file.name}-wal"))
    return f"{sum(part.stat().st_size for part in parts if part.is_file()) / 1e6:,.1f} MB"
