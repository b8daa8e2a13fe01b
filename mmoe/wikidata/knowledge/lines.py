"""The lines of a dump, each a whole entity."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import orjson
from tqdm import tqdm

from mmoe.errors import WikidataError
from mmoe.wikidata.index.stream import (
    BYTE_ORDER_MARK,
    STANDARD_INPUT,
    Part,
    opened,
    parts_of,
    whole_lines,
)


def files_of(dump: str) -> list[Part]:
    """The files of a dump that is read more than once.

    Raises:
        WikidataError: if there is none, or it is standard input.
    """
    if dump == STANDARD_INPUT:
        raise WikidataError("-: standard input can't be read twice; write it to a file first")
    return parts_of(dump)


def lines_of(files: Sequence[Part], doing: str) -> Iterator[bytes]:
    """The entities of a dump as they are written, without brackets and commas, in file order.

    Args:
        doing: what the progress bar says.
    Raises:
        WikidataError: if a file can't be decompressed to its end.
    """
    total, before = sum(file.size or 0 for file in files), 0
    with tqdm(total=total, desc=doing, unit="B", unit_scale=True) as bar:
        for file in files:
            with opened(file) as stream:
                is_first = True
                for block in whole_lines(stream, file.name):
                    yield from _entities(block.removeprefix(BYTE_ORDER_MARK) if is_first else block)
                    is_first = False
                    bar.update(before + stream.position() - bar.n)
                if stream.fault is not None:
                    raise WikidataError(
                        f"{file.path}: breaks off at byte {stream.position():,} ({stream.fault}); "
                        "fetch it again"
                    )
            before += file.size or 0


def _entities(block: bytes) -> Iterator[bytes]:
    for line in block.split(b"\n"):
        content = line.strip().removesuffix(b",")
        if content not in (b"", b"[", b"]"):
            yield content


def parsed(line: bytes) -> dict[str, Any] | None:
    """The entity that a line holds; null if it holds none."""
    try:
        entity = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return entity if isinstance(entity, dict) else None
