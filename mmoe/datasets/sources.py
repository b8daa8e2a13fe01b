"""Tables to convert: pandas data frames, CSV, TSV, JSONL, Parquet, and Hugging Face data sets on disk."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from mmoe.datasets.problems import Problems
from mmoe.datasets.rows import rows_of
from mmoe.errors import DataError, one_line

ROW_FILES = (".csv", ".tsv", ".jsonl")
COLUMN_FILES = (".parquet", ".arrow")
ENDINGS = (*ROW_FILES, *COLUMN_FILES)
BATCH_ROWS = 64  # held at once

SPLIT_NAMES = {
    "train": "train",
    "training": "train",
    "valid": "valid",
    "validation": "valid",
    "val": "valid",
    "dev": "valid",
    "development": "valid",
    "test": "test",
}


@dataclass(frozen=True)
class Source:
    """One file of rows, or one data frame.

    Attributes:
        file: names the table in messages.
        split: the split that the file's name or its folder's name says; None if none or several.
    """

    file: Path
    columns: tuple[str, ...]
    split: str | None
    frame: pd.DataFrame | None = None

    @classmethod
    def of_frame(cls, frame: pd.DataFrame, name: str = "data frame") -> Source:
        """A data frame as a table to convert; missing values of any kind count as None."""
        return cls(Path(name), tuple(map(str, frame.columns)), None, frame)

    def rows(
        self, columns: Collection[str], problems: Problems
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        """Each row's place in words and its values, of the named columns.

        Raises:
            DataError: if the file can't be read to its end.
        """
        if self.frame is None and self.file.suffix in ROW_FILES:
            for row in rows_of(self.file, problems):
                yield row.where, {name: row.values.get(name) for name in columns}
            return
        if self.frame is not None:
            cells = self.frame[list(columns)].astype(object)
            rows: Iterable[dict[Any, Any]] = cells.where(cells.notna(), None).to_dict("records")
        else:
            rows = arrow_rows(self.file, sorted(columns))
        for number, values in enumerate(rows, start=1):
            yield f"{self.file}, row {number}", values


def find_sources(paths: Sequence[Path]) -> list[Source]:
    """The files that the paths mean: a file itself, a folder all files of its one kind below it.

    Raises:
        DataError: if there is nothing to read, or a folder mixes kinds.
    """
    found = []
    for path in paths:
        if path.is_dir():
            found += [
                Source(file, _columns(file), _split_of(file.relative_to(path)))
                for file in _files_below(path)
            ]
        elif not path.is_file():
            raise DataError(f"{path}: no such file or folder; name the table to convert")
        elif path.suffix not in ENDINGS:
            raise DataError(f"{path}: unknown ending; known: {', '.join(ENDINGS)}")
        else:
            found.append(Source(path, _columns(path), _split_of(Path(path.name))))
    return found


def split_named(name: str) -> str:
    """Our word for a split that may be called dev, validation …; other words stay as they are."""
    return SPLIT_NAMES.get(name.strip().lower(), name)


def _files_below(folder: Path) -> list[Path]:
    found = [
        file
        for file in sorted(folder.rglob("*"))
        # Hugging Face's library keeps results of `map` beside a saved data set as cache-*.arrow.
        if file.suffix in ENDINGS and not file.name.startswith((".", "cache-"))
    ]
    kinds = sorted({file.suffix for file in found})
    if len(kinds) != 1:
        raise DataError(
            f"{folder}: wanted files of one kind ({', '.join(ENDINGS)}), found "
            f"{' and '.join(kinds) or 'none'}; name the files one by one"
        )
    return found


def _split_of(path: Path) -> str | None:
    for part in (path.stem, *(parent.name for parent in path.parents)):
        words = re.split(r"[^a-z]+", part.lower())
        splits = {SPLIT_NAMES[word] for word in words if word in SPLIT_NAMES}
        if splits:
            return splits.pop() if len(splits) == 1 else None
    return None


def _columns(file: Path) -> tuple[str, ...]:
    if file.suffix in ROW_FILES:
        problems, names = Problems(), dict[str, None]()
        for row in rows_of(file, problems):
            names |= dict.fromkeys(row.values)
            if file.suffix != ".jsonl":
                break
        problems.raise_any("mend these first")
        return tuple(names)
    with _reading(file):
        if file.suffix == ".parquet":
            columns = pq.read_schema(file).names
        else:
            with pa.memory_map(str(file)) as mapped:
                columns = pa.ipc.open_stream(mapped).schema.names
    repeated = sorted({name for name in columns if columns.count(name) > 1})
    if repeated:
        raise DataError(f"{file}: column `{repeated[0]}` stands twice; keep one")
    return tuple(columns)


def arrow_rows(file: Path, columns: list[str] | None = None) -> Iterator[dict[str, Any]]:
    """Rows as Python values, a few at a time: a row may carry an image of several megabytes.

    Args:
        columns: None for all.
    """
    with _reading(file):
        if file.suffix == ".parquet":
            with pq.ParquetFile(file) as table:
                for batch in table.iter_batches(BATCH_ROWS, columns=columns):
                    yield from batch.to_pylist()
            return
        with pa.memory_map(str(file)) as mapped:
            for batch in pa.ipc.open_stream(mapped):
                chosen = batch if columns is None else batch.select(columns)
                for start in range(0, chosen.num_rows, BATCH_ROWS):
                    yield from chosen.slice(start, BATCH_ROWS).to_pylist()


@contextmanager
def _reading(file: Path) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        raise DataError(
            f"{file}: not a whole {file.suffix[1:]} file ({one_line(error)}); fetch or write it again"
        ) from None
