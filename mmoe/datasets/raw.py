"""What every reader hands over, and the rules that hold for all formats."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from mmoe.errors import DataError
from mmoe.files import sha256_of
from mmoe.records import Entity, Mention


@dataclass(frozen=True)
class RawDataset:
    """A published data set as records.

    Attributes:
        counts: what the reader noticed and passed over, by name.
        sources: SHA-256 of each file read, by name relative to the folder.
    """

    format: str
    mentions: list[Mention]
    entities: list[Entity]
    counts: dict[str, int]
    sources: dict[str, str]


def dataset_of(
    name: str,
    mentions: Iterable[Mention],
    entities: list[Entity],
    counts: dict[str, int],
    files: Iterable[Path | None],
) -> RawDataset:
    """What was read of `files` in format `name`: each mention says whether the KB holds its gold."""
    sources = {file.name: sha256_of(file) for file in files if file is not None}
    return RawDataset(name, with_in_kb(mentions, entities), entities, counts, sources)


def gold_of(answer: str | None) -> str | None:
    """The qid of an answer; None for the ways in which files say nil (absent, empty, "nil")."""
    return None if answer is None or answer.strip().lower() in {"", "nil"} else answer.strip()


def with_in_kb(mentions: Iterable[Mention], entities: Iterable[Entity]) -> list[Mention]:
    """The mentions, each marked whether the knowledge base holds its gold entity."""
    qids = {entity.qid for entity in entities}
    return [replace(mention, in_kb=mention.gold_qid in qids) for mention in mentions]


def check_unique(what: str, ids: Iterable[tuple[str, str]]) -> None:
    """Refuses an id that stands twice.

    Args:
        what: what the ids are called in the message.
        ids: (id, where it stands) in order.
    Raises:
        DataError: naming both places.
    """
    seen: dict[str, str] = {}
    for name, where in ids:
        if name in seen:
            raise DataError(
                f"{where}: {what} {name!r} stands already in {seen[name]}; ids must be unique"
            )
        seen[name] = where


def require_file(path: Path, why: str) -> Path:
    """`path`, if it is a file.

    Raises:
        DataError: naming the file and why it is needed.
    """
    if not path.is_file():
        raise DataError(f"{path}: no such file; {why}")
    return path
