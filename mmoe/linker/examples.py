"""Mentions that show what a bundle does, chosen among a data set's test mentions."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path
from typing import Any

from mmoe.errors import LinkingError
from mmoe.files import read_json, write_json
from mmoe.linker.queries import Query
from mmoe.records import Mention

FOLDER, TABLE = "examples", "examples.json"
SHOWN, WITH_IMAGE = 6, 2  # in all, and those whose answer changes without their image
KINDS = {
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
    ".gif": "image/gif",
}
LOOKED_AT = 64  # mentions of each kind, at most


@dataclass(frozen=True)
class Example:
    """A mention of a bundle, and the file of its image; None without one."""

    surface_form: str
    context: str
    image: Path | None

    def to_json(self) -> dict[str, Any]:
        """What a page shows of it."""
        has_image = self.image is not None
        return {"surface_form": self.surface_form, "context": self.context, "has_image": has_image}


def choose_examples(linker: Any, mentions: Sequence[Mention], images: Path) -> list[Query]:
    """Test mentions that are linked rightly; two of them only with their image.

    Args:
        linker: a `Linker`.
        images: folder that the mentions' images are relative to.
    """
    test = [m for m in mentions if m.split == "test" and m.in_kb and m.context.strip()]
    judge = _Judge(linker, {(m.surface_form, m.context): m.gold_qid for m in test})
    shown = [_query(m, images) for m in test if m.image is not None]
    plain = [_query(m, images) for m in test if m.image is None]
    by_image = (q for q in judge.right(shown) if not judge.is_right(replace(q, image=None)))
    chosen = {query.surface_form: query for query in islice(by_image, WITH_IMAGE)}
    for query in chain(judge.right(plain), judge.right(shown)):
        if len(chosen) == SHOWN:
            break
        chosen.setdefault(query.surface_form, query)
    return list(chosen.values())


@dataclass(frozen=True)
class _Judge:
    """Says whether mentions are linked rightly.

    Attributes:
        gold: qids by surface form and context.
    """

    linker: Any
    gold: Mapping[tuple[str, str], str | None]

    def right(self, queries: Sequence[Query]) -> Iterator[Query]:
        """Those of the first ones that are."""
        return (query for query in queries[:LOOKED_AT] if self.is_right(query))

    def is_right(self, query: Query) -> bool:
        words = query.surface_form, query.context
        try:
            result = self.linker.link(*words, query.image, top_k=1)
        except LinkingError:  # its image can't be read
            return False
        return bool(result[0].qid == self.gold[words]) and not result.is_nil


def write_examples(folder: Path, queries: Sequence[Query]) -> None:
    """Writes them and their images below a bundle's folder."""
    rows = []
    for number, query in enumerate(queries):
        name = None
        if isinstance(query.image, (str, Path)):
            source = Path(query.image)
            name = f"{number}{source.suffix.lower()}"
            (folder / FOLDER).mkdir(exist_ok=True)
            (folder / FOLDER / name).write_bytes(source.read_bytes())
        rows.append({"surface_form": query.surface_form, "context": query.context, "image": name})
    write_json(folder / TABLE, rows)


def read_examples(folder: Path, files: Collection[str]) -> list[Example]:
    """Those of a bundle; none if it has none.

    Args:
        files: that its manifest names: no other is opened.
    """
    if TABLE not in files:
        return []
    found = []
    for row in read_json(folder / TABLE):
        name = f"{FOLDER}/{row['image']}"
        is_own = name in files and Path(name).suffix.lower() in KINDS
        image = folder / name if is_own else None
        found.append(Example(str(row["surface_form"]), str(row["context"]), image))
    return found


def _query(mention: Mention, images: Path) -> Query:
    image = None if mention.image is None else images / mention.image
    return Query(mention.surface_form, mention.context, image)
