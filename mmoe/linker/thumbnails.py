"""Small pictures of entities, with whose they are where that is known."""

from __future__ import annotations

import io
import json
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from mmoe.config.encode import EncodeParams
from mmoe.errors import BundleError, one_line
from mmoe.files import atomic_write
from mmoe.images import ImageError, load_image
from mmoe.records import Entity

LARGEST = 256  # pixels a side
QUALITY = 80
ROW_GROUP = 32
LICENCES = "licences.jsonl"  # as `mmoe images` writes it
RIGHTS = ("author", "licence", "licence_url")
SCHEMA = pa.schema(
    [("qid", pa.string()), ("jpeg", pa.binary()), *((r, pa.string()) for r in RIGHTS)]
)


@dataclass(frozen=True)
class Thumbnail:
    """A JPEG of at most 256 pixels a side; the others are None where nobody knows them."""

    jpeg: bytes
    author: str | None
    licence: str | None
    licence_url: str | None


def write_thumbnails(path: Path, entities: Sequence[Entity], images: Path) -> None:
    """The first image of each entity, where it can be read.

    Args:
        images: the folder that they are relative to; it may hold `licences.jsonl`.
    """
    known = _licences(images / LICENCES)
    rows = []
    for entity in entities:
        jpeg = _jpeg(images, entity.images[0]) if entity.images else None
        if jpeg is not None:
            rights = known.get(entity.qid, {})
            rows.append({"qid": entity.qid, "jpeg": jpeg} | {r: rights.get(r) for r in RIGHTS})
    with atomic_write(path) as temporary:
        _write(pa.Table.from_pylist(rows, SCHEMA), temporary)


def copy_thumbnails(source: Path, target: Path, qids: Collection[str]) -> bool:
    """Copies a part without the pictures of other entities; False, and no file, if it has none of those."""
    with pq.ParquetFile(source) as file:
        found = file.read(["qid"])["qid"].to_pylist()
        if all(qid in qids for qid in found):
            return False
        kept = [i for i, qid in enumerate(found) if qid in qids]
        with atomic_write(target) as temporary:
            _write(file.read().take(kept), temporary)
    return True


def _write(table: pa.Table, path: Path) -> None:
    # Small groups: of one of them all is read for a picture.
    pq.write_table(
        table, path, compression="none", row_group_size=ROW_GROUP, write_page_checksum=True
    )


class Thumbnails:
    """The pictures of `write_thumbnails`; they stay on disk until they are asked for. Threads may share one.

    Args:
        folder: of parts.
    """

    def __init__(self, folder: Path) -> None:
        self._paths = sorted(folder.glob("shard-*.parquet"))
        self._files = [_opened(path) for path in self._paths]
        self._reading = Lock()  # a Parquet file is read by one thread at a time
        self._place: dict[str, tuple[int, int, int]] = {}  # qid -> file, row group, row
        for number, file in enumerate(self._files):
            for group in range(file.num_row_groups):
                with _trouble(self._paths[number]):
                    qids = file.read_row_group(group, ["qid"])["qid"].to_pylist()
                self._place |= {qid: (number, group, row) for row, qid in enumerate(qids)}

    def __contains__(self, qid: str) -> bool:
        return qid in self._place

    def of(self, qid: str) -> Thumbnail | None:
        """An entity's; None without a picture."""
        if qid not in self._place:
            return None
        number, group, row = self._place[qid]
        with self._reading, _trouble(self._paths[number]):
            table = self._files[number].read_row_group(group).slice(row, 1)
        found: dict[str, Any] = table.to_pylist()[0]
        return Thumbnail(found["jpeg"], *(found[name] for name in RIGHTS))

    def licences(self) -> dict[str, int]:
        """How many pictures are under each licence; `unknown` of the others."""
        found: dict[str, int] = {}
        for file in self._files:
            for name in file.read(["licence"])["licence"].to_pylist():
                found[name or "unknown"] = found.get(name or "unknown", 0) + 1
        return dict(sorted(found.items()))


def _opened(path: Path) -> pq.ParquetFile:
    with _trouble(path):
        return pq.ParquetFile(path, page_checksum_verification=True)


@contextmanager
def _trouble(path: Path) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        raise BundleError(
            f"{path}: pictures that can't be read ({one_line(error)}); copy the bundle again, or make it anew"
        ) from None


def _jpeg(folder: Path, name: str) -> bytes | None:
    try:
        image = load_image(folder, name, EncodeParams().max_pixels, LARGEST)
    except ImageError:
        return None  # whoever encodes it says so
    image.thumbnail((LARGEST, LARGEST))
    content = io.BytesIO()
    image.save(content, "JPEG", quality=QUALITY)
    return content.getvalue()


def _licences(path: Path) -> dict[str, dict[str, Any]]:
    if not path.is_file():
        return {}
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]
    return {row["qid"]: row for row in rows}
