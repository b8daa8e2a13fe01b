"""Wikipedia pages as a benchmark names them, by URL, and the table that gives their qids."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mmoe.datasets.json_files import read_json_object
from mmoe.datasets.links import percent_decoded
from mmoe.datasets.raw import gold_of
from mmoe.datasets.rows import plain_text, read_rows
from mmoe.errors import DataError

TABLES = ("title2qid.json", "title2qid.csv")
_PATH = "/wiki/"


def page_title(text: str) -> str:
    """A page's title in one spelling: decoded, blanks for underscores, NFC, the first letter large."""
    plain = " ".join(percent_decoded(text).replace("_", " ").split())
    title = unicodedata.normalize("NFC", plain)
    large = title[:1].upper()
    # Of ß and its kin there is no large form of one letter: such a title stays small.
    return unicodedata.normalize("NFC", large + title[1:]) if len(large) == 1 else title


def title_of_url(url: str) -> str | None:
    """The title of the page that a URL leads to, without the section; null if it leads to no page.

    What stands before `/wiki/` is not looked at: URLs typed by hand begin with half an `https://`.
    """
    _, path, name = url.strip().partition(_PATH)
    title = page_title(name.partition("#")[0]) if path else ""
    return title or None


def has_title_table(folder: Path) -> bool:
    """Whether the folder holds the table in one of its two forms."""
    return any((folder / name).is_file() for name in TABLES)


def read_titles(folder: Path) -> tuple[Path, dict[str, str]]:
    """The table's file, and the qid of each title in it.

    title2qid.json is one object, title -> qid; title2qid.csv has the columns title and qid. A qid that is
    null, empty or nil leaves the title without one.

    Raises:
        DataError: if there is no table, or two, or one title has two qids.
    """
    found = [path for name in TABLES if (path := folder / name).is_file()]
    if len(found) != 1:
        wrong = f"holds {' and '.join(TABLES)}; remove one of them"
        missing = f"no {' or '.join(TABLES)}; write there which qid each Wikipedia title has"
        raise DataError(f"{folder}: {wrong if found else missing}")
    file = found[0]
    qids: dict[str, str] = {}
    for where, title, value in _pairs(file):
        qid = gold_of(None if value is None else plain_text(value, where))
        if qid is not None and qids.setdefault(page_title(title), qid) != qid:
            raise DataError(
                f"{where}: title {page_title(title)!r} has qid {qids[page_title(title)]!r} already; "
                "keep one"
            )
    return file, qids


def _pairs(file: Path) -> Iterable[tuple[str, str, Any]]:
    """Where it stands, title and qid."""
    if file.suffix == ".json":
        pairs = read_json_object(file).items()
        return ((f"{file}, key {title!r}", title, value) for title, value in pairs)
    rows = read_rows(file)
    return ((f"{row.where}, key `qid`", row.filled("title"), row.text("qid")) for row in rows)
