"""Collects everything that is wrong with a folder, so that it can be said at once."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from itertools import islice

from mmoe.errors import DataError

SHOWN = 20


class Kind(StrEnum):
    """What sort of thing is wrong."""

    TABLE = "table missing or empty"
    ENCODING = "not UTF-8"
    OLD_KEY = "key of an earlier version"
    BROKEN = "unreadable row"
    MISSING = "missing key"
    TYPE = "wrong type"
    CHARACTER = "bad character"
    EMPTY = "empty text"
    QID = "no entity id"
    LABEL = "no label"
    SPLIT = "no such split"
    DUPLICATE = "duplicate id"
    OUTSIDE = "image outside the folder"
    IMAGE = "unreadable image"
    EMPTY_SPLIT = "empty split"


class Notice(StrEnum):
    """What is worth a look but stops nothing."""

    ABSENT = "image missing"
    SURFACE_FORM = "surface form not in its context"
    GOLD = "gold entity not in the knowledge base"
    ATTRIBUTES = "entity without attributes"
    UNKNOWN = "unknown key"


class Problems:
    """Lines of the form "file, row, key: what is wrong; remedy" with their kinds, in order of discovery."""

    def __init__(self) -> None:
        self._kinds: dict[str, StrEnum] = {}

    def add(self, kind: StrEnum, line: str) -> None:
        """Notes one line; the same line again is not a second problem."""
        # Key names come from the file: half a character can't be printed, a line break would make two lines.
        printable = line.encode("utf-8", "backslashreplace").decode().replace("\n", "\\n")
        self._kinds.setdefault(printable, kind)

    @property
    def lines(self) -> list[str]:
        return list(self._kinds)

    def take_new(self, told: int) -> list[str]:
        """The lines behind the first `told` ones."""
        return list(islice(self._kinds, told, None))

    def of(self, kind: StrEnum) -> list[str]:
        """The lines of one kind."""
        return [line for line, found in self._kinds.items() if found == kind]

    def summary(self) -> str:
        """The kinds and how often each was found, the most frequent first: "3 empty text, 1 …"."""
        return ", ".join(f"{n:,} {kind}" for kind, n in Counter(self._kinds.values()).most_common())

    def __len__(self) -> int:
        return len(self._kinds)

    def raise_any(self, more: str) -> None:
        """Stops if there is a problem.

        Args:
            more: where all of them are listed, for when there are more than SHOWN.
        Raises:
            DataError: with one problem a line, SHOWN of them at most.
        """
        if not self._kinds:
            return
        shown = self.lines[:SHOWN]
        left = len(self._kinds) - len(shown)
        raise DataError("\n".join([*shown, *([f"… and {left} more; {more}"] if left else [])]))
