"""Replies kept on disk, so that no question is paid for twice: one SQLite file that processes may share."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from mmoe.descriptions.llm_client.types import REJECTED, Outcome, Reply
from mmoe.errors import RankingError
from mmoe.sqlite_cache import SqliteCache

FILE = "llm-replies.sqlite"
VERSION = 1  # of the table below; a file of another one is refused
REJECTED_FOR = 86400.0  # seconds that a rejection holds: it cost nothing, and servers are mended

_TABLE = """
CREATE TABLE IF NOT EXISTS replies (
    key TEXT PRIMARY KEY,
    outcome TEXT NOT NULL,
    given REAL NOT NULL,
    reply TEXT NOT NULL
) WITHOUT ROWID
"""
_KEPT = """
SELECT outcome, given, reply FROM replies WHERE key IN (SELECT value FROM json_each(?))
"""


class ReplyCache(SqliteCache):
    """The kept replies of a folder; any number of processes may use it at once."""

    def __init__(self, folder: Path, wall: Callable[[], float] = time.time) -> None:
        """Opens the file, or makes it; `wall` tells the seconds since 1970."""
        super().__init__(folder / FILE, _TABLE, VERSION, RankingError)
        self._wall = wall

    def get(self, keys: Sequence[str]) -> dict[str, Reply]:
        """The replies that are kept, by key."""
        since = self._wall() - REJECTED_FOR
        with self._trouble():
            found = [
                _read(text)
                for outcome, given, text in self._database.execute(_KEPT, [json.dumps(keys)])
                if outcome not in REJECTED or given > since
            ]
        return {reply.key: reply for reply in found}

    def put(self, reply: Reply) -> None:
        """Keeps a reply that is final; it is on disk when this returns."""
        row = (reply.key, reply.outcome, self._wall(), json.dumps(asdict(reply)))
        with self._trouble():
            self._database.execute("INSERT OR REPLACE INTO replies VALUES (?, ?, ?, ?)", row)


def _read(text: str) -> Reply:
    fields = json.loads(text)
    tokens = fields["top_tokens"]
    # Replies that version 0.1 has kept may not tell what was left out.
    changed = {
        "top_tokens": tokens and [(token, value) for token, value in tokens],
        "left_out": tuple(fields.get("left_out") or ()),
        "outcome": Outcome(fields["outcome"]),
    }
    return Reply(**fields | changed)
