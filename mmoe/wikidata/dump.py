"""A Wikidata JSON dump: its files decompressed, its lines, and a data set's own slice of it."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
from tqdm import tqdm

from mmoe.errors import WikidataError, one_line

SLICES = ("wikidata.jsonl", "wikidata.jsonl.gz")  # of a data set, in its raw folder
STANDARD_INPUT = "-"
COMPRESSIONS = {".gz": "gzip", ".bz2": "bz2", ".zst": "zstd"}  # any number of members in each
HEAD = 1 << 16  # bytes that tell one dump from another
BLOCK = 1 << 20  # bytes that are read at a time; larger ones leave the caches and are slower
LONGEST_LINE = 64 << 20  # bytes; the dump's own are below a tenth of it
BYTE_ORDER_MARK = b"\xef\xbb\xbf"

# How the dump begins a line; where it doesn't, the line is parsed to find its id.
_BEGINNING = re.compile(rb'\{"type":"[a-z]+","id":"([A-Z]\d+)"')


@dataclass(frozen=True)
class Part:
    """One file of a dump, or standard input.

    Attributes:
        number: its place in the dump.
        size: bytes as it lies on the disk; None for standard input.
        head: its first bytes.
    """

    number: int
    path: str
    size: int | None
    head: bytes

    @property
    def name(self) -> str:
        """The name without folders."""
        return Path(self.where).name

    @property
    def where(self) -> str:
        """What an error message begins with."""
        return "standard input" if self.path == STANDARD_INPUT else self.path


def parts_of(dump: str) -> list[Part]:
    """The files that make up a dump: itself, those of a folder in the order of their names, or `-`.

    Raises:
        WikidataError: if there is none, or one can't be read.
    """
    if dump == STANDARD_INPUT:
        # What is read here can't be read again: `opened` puts it before the rest.
        return [Part(0, dump, None, sys.stdin.buffer.read(HEAD))]
    path = Path(dump)
    files = [path]
    if path.is_dir():
        files = [f for f in sorted(path.iterdir()) if f.is_file() and not f.name.startswith(".")]
        if not files:
            raise WikidataError(f"{dump}: holds no file; name a dump or a folder of split files")
    try:
        return [_part(number, file) for number, file in enumerate(files)]
    except OSError as error:
        raise WikidataError(
            f"{error.filename}: can't be read ({error.strerror}); name a Wikidata JSON dump"
        ) from None


def _part(number: int, file: Path) -> Part:
    with file.open("rb") as stream:
        return Part(number, str(file.resolve()), file.stat().st_size, stream.read(HEAD))


class Stream:
    """The plain bytes of a file; what can't be decompressed ends it.

    Attributes:
        fault: why it ended before its end; None if it didn't.
    """

    def __init__(self, plain: Any, raw: Any) -> None:
        self._plain, self._raw = plain, raw
        self.fault: str | None = None

    def read(self, size: int) -> bytes:
        """That many bytes; fewer only where the stream ends."""
        pieces: list[bytes] = []
        try:
            while size and self.fault is None and (piece := self._plain.read(size)):
                pieces.append(piece)
                size -= len(piece)
        except OSError as error:
            self.fault = one_line(error)
        return b"".join(pieces)

    def position(self) -> int:
        """How many bytes of the file, as it lies on the disk, have been read."""
        position: int = self._raw.tell()
        return position


class _StandardInput:
    """Standard input, of which the head was read before."""

    def __init__(self, head: bytes) -> None:
        self._head = io.BytesIO(head)
        self._position = 0

    def read(self, size: int) -> bytes:
        data = self._head.read(size) or sys.stdin.buffer.read(size)
        self._position += len(data)
        return data

    def tell(self) -> int:
        return self._position


@contextmanager
def opened(part: Part) -> Iterator[Stream]:
    """The part as a stream, decompressed as the end of its name says."""
    if part.path == STANDARD_INPUT:
        stream = _StandardInput(part.head)
        yield Stream(stream, stream)
        return
    with pa.OSFile(part.path) as raw:
        compression = COMPRESSIONS.get(Path(part.path).suffix)
        plain = raw if compression is None else pa.CompressedInputStream(raw, compression)
        with plain:
            yield Stream(plain, raw)


def whole_lines(stream: Stream, where: str, block: int = BLOCK) -> Iterator[bytes]:
    """The rest of a stream in blocks of whole lines; the last line needs no newline.

    If the stream ends by a fault, so do the blocks, and the line in which it ends is left out.

    Args:
        block: bytes that are read at a time; a block is of about that size.
    Raises:
        WikidataError: if a line is longer than any of a dump.
    """
    rest = b""
    while data := stream.read(block):
        end = data.rfind(b"\n") + 1
        if end:
            yield b"".join((rest, memoryview(data)[:end]))  # one copy, not two
            rest = data[end:]
        else:
            rest += data
        if len(rest) > LONGEST_LINE:
            raise WikidataError(
                f"{where}: holds a line of more than {LONGEST_LINE >> 20} MiB; "
                "name a Wikidata JSON dump, which has one entity a line"
            )
    if rest and stream.fault is None:
        yield rest


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


def entity_in(line: bytes) -> bytes | None:
    """The JSON that a line of a dump holds, without its comma; None for a bracket or an empty line."""
    content = line.strip().removesuffix(b",")
    return None if content in (b"", b"[", b"]") else content


def entities_in(parts: Sequence[Part], doing: str) -> Iterator[bytes]:
    """The entities of a dump as they are written, in file order.

    Args:
        doing: what the progress bar says.
    Raises:
        WikidataError: if a file can't be decompressed to its end.
    """
    total, before = sum(part.size or 0 for part in parts), 0
    with tqdm(total=total, desc=doing, unit="B", unit_scale=True) as bar:
        for part in parts:
            with opened(part) as stream:
                for number, block in enumerate(whole_lines(stream, part.name)):
                    first = block.removeprefix(BYTE_ORDER_MARK) if number == 0 else block
                    yield from filter(None, map(entity_in, first.split(b"\n")))
                    bar.update(before + stream.position() - bar.n)
                if stream.fault is not None:
                    raise WikidataError(
                        f"{part.path}: breaks off at byte {stream.position():,} ({stream.fault}); "
                        "fetch it again"
                    )
            before += part.size or 0


def parsed(entity: bytes) -> dict[str, Any] | None:
    """An entity's fields; None if it is no JSON object."""
    try:
        fields = orjson.loads(entity)
    except orjson.JSONDecodeError:
        return None
    return fields if isinstance(fields, dict) else None


def id_of(entity: bytes) -> str | None:
    """The id of an entity; None if there is none."""
    match = _BEGINNING.match(entity)
    if match is not None:
        return match[1].decode()
    found = (parsed(entity) or {}).get("id")
    return found if isinstance(found, str) else None
