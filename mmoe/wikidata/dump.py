"""Items from a slice of the Wikidata JSON dump: one entity a line, as the dump itself is written."""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmoe.errors import WikidataError, one_line

SLICES = ("wikidata.jsonl", "wikidata.jsonl.gz")
DEFAULT_LANGUAGE = "mul"  # Wikidata's "default for all languages"

_QID = re.compile(r"Q[1-9][0-9]*")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_NOT_WIKIPEDIA = frozenset(
    f"{name}wiki"
    for name in (
        *("commons", "foundation", "incubator", "mediawiki", "meta", "outreach", "sources"),
        *("species", "wikidata", "wikifunctions", "wikimania"),
    )
)


@dataclass(frozen=True, slots=True)
class Item:
    """What retrieval reads of an item.

    Attributes:
        label: in the language asked for, else for all languages; null if there is neither.
        description: as label.
        aliases: in the language asked for, then for all languages.
        sitelinks: number of Wikipedia articles; null where the slice leaves sitelinks out.
    """

    qid: str
    label: str | None
    description: str | None
    aliases: tuple[str, ...]
    sitelinks: int | None


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


def read_items(path: Path, language: str) -> Iterator[Item]:
    """Yields the items of a dump slice in file order; properties and lexemes are passed over.

    Args:
        path: plain, or gzipped (in any number of members) if its name ends in .gz; with or without
            the enclosing brackets and the commas at the ends of the lines.
        language: of labels, descriptions and aliases; `mul` stands in.
    Raises:
        WikidataError: if the file is missing or a line of it can't be read.
    """
    for number, line in _lines(path):
        content = line.strip().removesuffix(b",")
        if content not in (b"", b"[", b"]"):
            item = _item(content, language, f"{path}, line {number}")
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


def _item(content: bytes, language: str, where: str) -> Item | None:
    try:
        entity = json.loads(content.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise WikidataError(f"{where}: not UTF-8 at byte {error.start}; fetch it again") from None
    except json.JSONDecodeError as error:
        raise WikidataError(
            f"{where}: not valid JSON at column {error.colno}: {error.msg}; "
            "each line must be one whole entity, as in the Wikidata dump"
        ) from None
    if not isinstance(entity, dict):
        raise WikidataError(f"{where}: must be one entity, found {type(entity).__name__}")
    kind, qid = entity.get("type"), entity.get("id")
    if not isinstance(kind, str):
        raise WikidataError(f"{where}: key `type` is missing; add item, property or lexeme")
    if kind != "item":
        return None
    if not (isinstance(qid, str) and _QID.fullmatch(qid)):
        raise WikidataError(f"{where}: key `id` must be Q and a number, found {qid!r}")
    where = f"{where}, item {qid}"
    return Item(
        qid=qid,
        label=_term(_map(entity, "labels", where), language, f"{where}, key `labels`"),
        description=_term(
            _map(entity, "descriptions", where), language, f"{where}, key `descriptions`"
        ),
        aliases=_aliases(_map(entity, "aliases", where), language, f"{where}, key `aliases`"),
        sitelinks=_num_articles(_map(entity, "sitelinks", where))
        if "sitelinks" in entity
        else None,
    )


def _map(entity: dict[str, Any], key: str, where: str) -> dict[str, Any]:
    """A map of the entity; older serialisers write an empty one as []."""
    value = entity.get(key, {})
    if isinstance(value, dict):
        return value
    if value == []:
        return {}
    raise WikidataError(f"{where}, key `{key}`: must be an object, found {type(value).__name__}")


def _term(terms: dict[str, Any], language: str, where: str) -> str | None:
    for code in (language, DEFAULT_LANGUAGE):
        if code in terms:
            return _text(terms[code], where)
    return None


def _aliases(terms: dict[str, Any], language: str, where: str) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for code in (language, DEFAULT_LANGUAGE):
        entries = terms.get(code, [])
        if not isinstance(entries, list):
            raise WikidataError(f"{where}, language {code}: must be a list")
        found |= dict.fromkeys(_text(entry, where) for entry in entries)
    return tuple(found)


def _text(term: Any, where: str) -> str:
    value = term.get("value") if isinstance(term, dict) else None
    if not isinstance(value, str):
        raise WikidataError(f"{where}: a term must be an object whose `value` is text")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise WikidataError(
            f"{where}: holds half a surrogate pair; write the character whole"
        ) from None
    return value


def _num_articles(sitelinks: dict[str, Any]) -> int:
    return sum(site.endswith("wiki") and site not in _NOT_WIKIPEDIA for site in sitelinks)
