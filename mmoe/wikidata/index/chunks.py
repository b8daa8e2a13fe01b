"""Finished chunks: the rows of consecutive blocks, kept in the work folder until the index is whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from mmoe.files import atomic_write, read_json, write_json
from mmoe.wikidata.index.extract import PLACED_ITEMS, PLACED_NAMES, Extract
from mmoe.wikidata.index.tally import Tally
from mmoe.wikidata.labels import ITEMS, NAMES

RECORDS = "records"


@dataclass(frozen=True)
class Record:
    """What is known of a finished chunk; a chunk without record is not finished.

    Attributes:
        blocks: size in bytes and CRC-32 of each.
        num_lines: brackets and empty ones included.
    """

    blocks: Sequence[tuple[int, int]]
    num_lines: int
    tally: Tally


@dataclass(frozen=True)
class ChunkFolder:
    """The finished chunks of a dump, by the number of the part and of the chunk in it."""

    folder: Path

    def finished(self, part: int) -> list[Record]:
        """The records of a part's finished chunks, up to the first that is missing."""
        records: list[Record] = []
        while (file := self._record(part, len(records))).is_file():
            fields: dict[str, Any] = read_json(file)
            blocks = [(size, checksum) for size, checksum in fields["blocks"]]
            records.append(Record(blocks, fields["lines"], Tally.from_json(fields["tally"])))
        return records

    def write(self, part: int, number: int, extracts: Sequence[Extract], tally: Tally) -> None:
        """Writes a chunk, its record last.

        Args:
            tally: of the extracts.
        """
        name = f"{_name(part, number)}.parquet"
        _write(self.folder / ITEMS / name, [each.items for each in extracts], PLACED_ITEMS)
        _write(self.folder / NAMES / name, [each.names for each in extracts], PLACED_NAMES)
        record = {
            "blocks": [(each.size, each.checksum) for each in extracts],
            "lines": sum(each.num_lines for each in extracts),
            "tally": tally.as_json(),
        }
        write_json(self._record(part, number), record)

    def _record(self, part: int, number: int) -> Path:
        return self.folder / RECORDS / f"{_name(part, number)}.json"


def _name(part: int, number: int) -> str:
    return f"{part:05d}-{number:06d}"


def _write(path: Path, batches: Sequence[pa.RecordBatch], schema: pa.Schema) -> None:
    with atomic_write(path) as temporary:
        pq.write_table(pa.Table.from_batches(batches, schema), temporary, compression="zstd")
