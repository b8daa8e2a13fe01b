"""Writes the features of one part, shard by shard; what an earlier run has encoded is not encoded again.

DVC deletes a stage's outputs before it runs the stage. So finished shards lie in a work folder of the part,
each named by the contents of its rows, and the output is made of links to them at the end. A killed run
therefore goes on after its last whole shard, and another ranker or a few new mentions cost only what is
new. That gives the same features as encoding all anew, because they depend on the row alone, and because a
row is taken only from shards of the same settings, code and versions whose checksums are right.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
from tqdm import tqdm

from mmoe.errors import FeatureStoreError
from mmoe.features.shards import (
    UNREADABLE,
    FeatureRow,
    PartColumns,
    open_shard,
    shard_name,
    shard_table,
    write_shard,
)
from mmoe.files import atomic_folder, content_key, link_or_copy
from mmoe.locks import exclusive_lock

LOCK = "lock"


Row = TypeVar("Row", bound=Any)  # it has an `id`: a mention_id or qid
Encode = Callable[[Sequence[Row]], list[FeatureRow]]


@dataclass(frozen=True)
class Part:
    """What a part's shards hold and where they lie.

    Attributes:
        out: the stage's output folder.
        work: folder in which finished shards survive a kill and the next run.
        shard_rows: how many rows a shard holds.
        metadata: the settings that decide the features, stored in every shard.
        made_with: what else decides their bits: code, versions, kind of device.
        earlier_bytes: of the features that earlier runs made and this one does not use, so many are kept for
            later ones, the newest: a change that is taken back then costs nothing.
    """

    out: Path
    work: Path
    shard_rows: int
    columns: PartColumns
    metadata: Mapping[str, Any]
    made_with: Mapping[str, Any] = field(default_factory=dict)
    earlier_bytes: int = 0


def write_part(
    rows: Sequence[Row],
    part: Part,
    key_of: Callable[[Row], str],
    encode: Encode[Row],
    only: Sequence[int] | None = None,
) -> int:
    """Writes all shards of `rows`, at least one; returns how many rows an earlier run had encoded.

    Args:
        key_of: names what is encoded of a row; rows of equal keys are encoded once.
        only: numbers of shards that are made and left in the work folder, beside other processes that make
            other ones; None makes the output.
    """

    def shard(kept: _KeptShards, start: int) -> str:
        chunk = rows[start : start + part.shard_rows]
        return kept.shard_of(chunk, [key_of(row) for row in chunk], encode)

    if only is not None:
        kept = _KeptShards(part)
        for number in only:
            shard(kept, number * part.shard_rows)
        return kept.num_kept
    busy = f"{part.out}: another process encodes this part; waiting for it"
    with exclusive_lock(part.work, LOCK, partial(print, busy, file=sys.stderr)):
        kept, names = _KeptShards(part), []
        with tqdm(total=len(rows), unit="row", desc=part.out.name, disable=None) as progress:
            for start in range(0, max(1, len(rows)), part.shard_rows):
                names.append(shard(kept, start))
                progress.update(min(part.shard_rows, len(rows) - start))
        _publish([kept.folder / name for name in names], len(rows), part.out)
        kept.drop_oldest_but(names)
    return kept.num_kept


class _KeptShards:
    """The finished shards of a part, of this run and of earlier ones; `num_kept` rows of these were used."""

    def __init__(self, part: Part) -> None:
        # Where the finished shards lie that these settings may use.
        key = content_key(dict(part.metadata), dict(part.made_with), part.columns)
        self._part, self.folder = part, part.work / key
        self.num_kept = 0
        self._complete: set[str] = set()
        self._places: dict[str, tuple[str, int]] = {}  # key -> shard, row
        for shard in sorted(self.folder.glob("*.parquet")):
            table = _read(shard, ["content_key", "status"])
            rows = [] if table is None else table.to_pylist()
            # An unreadable image is tried, and reported, again.
            good = {r["content_key"]: i for i, r in enumerate(rows) if r["status"] != UNREADABLE}
            self._places |= {key: (shard.name, i) for key, i in good.items()}
            if all(row["content_key"] in good for row in rows):
                self._complete.add(shard.name)

    def shard_of(self, chunk: Sequence[Any], keys: list[str], encode: Encode[Any]) -> str:
        """Makes the shard of some rows if there is none, and returns its name."""
        name = f"{content_key([row.id for row in chunk], keys)}.parquet"
        if name in self._complete and _read(self.folder / name) is not None:
            self.num_kept += len(chunk)
            return name
        kept = self._rows_of(set(keys))
        known = {key for table in kept for key in table["content_key"].to_pylist()}
        self.num_kept += sum(key in known for key in keys)
        new = {key: row for key, row in zip(keys, chunk, strict=True) if key not in known}
        encoded = encode(list(new.values())) if new else []
        rows = [
            replace(features, id=row.id, content_key=key)
            for (key, row), features in zip(new.items(), encoded, strict=True)
        ]
        table = pa.concat_tables(
            [*kept, shard_table(rows, self._part.columns, self._part.metadata)]
        )
        places = {key: i for i, key in enumerate(table["content_key"].to_pylist())}
        ids = pa.array([row.id for row in chunk], pa.string())
        table = table.take(pa.array([places[key] for key in keys], pa.int64()))
        write_shard(self.folder / name, table.set_column(0, table.field("id"), ids))
        return name

    def drop_oldest_but(self, names: Sequence[str]) -> None:
        """Keeps these shards and, of any settings, the newest others that there is room for."""
        used, room = {self.folder / name for name in names}, self._part.earlier_bytes
        others = {file: file.stat() for file in self._part.work.glob("*/*") if file not in used}
        for file in sorted(others, key=lambda file: others[file].st_mtime_ns, reverse=True):
            room -= others[file].st_size
            if room < 0 or file.suffix != ".parquet":
                file.unlink()
        for folder in self._part.work.glob("*/"):
            if folder != self.folder and not any(folder.iterdir()):
                folder.rmdir()

    def _rows_of(self, keys: set[str]) -> list[pa.Table]:
        """The rows of these keys that can be read, one table a shard."""
        wanted: dict[str, list[int]] = {}
        for key in keys & self._places.keys():
            shard, row = self._places[key]
            wanted.setdefault(shard, []).append(row)
        tables = [(_read(self.folder / shard), sorted(rows)) for shard, rows in wanted.items()]
        return [table.take(rows) for table, rows in tables if table is not None]


def _read(shard: Path, columns: Sequence[str] | None = None) -> pa.Table | None:
    """A shard's content if its checksums are right; a broken one only costs time."""
    try:
        return open_shard(shard).read(columns)
    except (FeatureStoreError, OSError, pa.ArrowException):
        return None


def _publish(shards: Sequence[Path], num_rows: int, out: Path) -> None:
    """Makes the output of links to its shards; the old output goes once the new one is whole."""
    with atomic_folder(out) as new:
        for number, shard in enumerate(shards):
            link_or_copy(shard, new / shard_name(number))
        found = sum(open_shard(shard).metadata.num_rows for shard in new.iterdir())
        if found != num_rows:
            raise FeatureStoreError(f"{new}: holds {found} rows, wanted {num_rows}; run dvc repro")
