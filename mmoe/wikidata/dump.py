"""Items from a slice of the Wikidata JSON dump: one entity a line, as the dump itself is written."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from mmoe.errors import WikidataError, one_line
from mmoe.wikidata.entity import Item, read_item

SLICES = ("wikidata.jsonl", "wikidata.jsonl.gz")

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def has_slice(raw: Path) -> bool:
    """Whether a raw folder holds a Wikidata slice."""
    return any((raw / name).is_file() for name in SLICES)


def find_slice(raw: Path) -> Path:
    """The Wikidata slice of a raw folder.

    Raises:
        WikidataError: if there is none, or both a plain and a gzipped one.
    """
    found = [raw / name for name in SLICES if (raw / name).is_file()]
    if len(found) == 1:
        return found[0]
    if found:
        raise WikidataError(f"{raw}: holds both {' and '.join(SLICES)}; keep one of them")
    raise WikidataError(
        f"{raw}: no {' or '.join(SLICES)}; put a slice of the Wikidata dump there (one item a line), "
        "or set retrieve.source in params.yaml to kb or none"
    )


def read_items(path: Path, languages: Sequence[str]) -> Iterator[Item]:
    """Yields the items of a dump slice in file order; properties and lexemes are passed over.

    Args:
        path: plain, or gzipped (in any number of members) if its name ends in .gz; with or without
            the enclosing brackets and the commas at the ends of the lines.
        languages: of labels, descriptions and aliases, best first; `mul` stands in.
    Raises:
        WikidataError: if the file is missing or a line of it can't be read.
    """
    for number, line in _lines(path):
        content = line.strip().removesuffix(b",")
        if content not in (b"", b"[", b"]"):
            item = _item(content, languages, f"{path}, line {number}")
            if item is not None:
                yield item


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    number = 0
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as stream:
            for number, line in enumerate(stream, start=1):
                yield number, line.removeprefix(_BYTE_ORDER_MARK) if number == 1 else line
    except FileNotFoundError:
        raise WikidataError(
            f"{path}: no such file; put a slice of the Wikidata dump there"
        ) from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise WikidataError(
            f"{path}: not whole gzip data after line {number} ({one_line(error)}); fetch the file again"
        ) from None


def _item(content: bytes, languages: Sequence[str], where: str) -> Item | None:
    try:
        entity = json.loads(content.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise WikidataError(f"{where}: not UTF-8 at byte {error.start}; fetch it again") from None
    except json.JSONDecodeError as error:
        raise WikidataError(
            f"{where}: not valid JSON at column {error.colno}: {error.msg}; "
            "each line must be one whole entity, as in the Wikidata dump"
        ) from None
    return read_item(entity, languages, where)
