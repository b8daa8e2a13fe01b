"""Links a table of mentions: what is done survives a kill, and bad rows go to a file of their own."""

from __future__ import annotations

import csv
import itertools
import json
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from mmoe.datasets.problems import Problems
from mmoe.datasets.rows import Row, rows_of
from mmoe.datasets.sources import ROW_FILES, arrow_rows
from mmoe.errors import DataError, LinkingError
from mmoe.files import atomic_write
from mmoe.linker.linker import BATCH, Linker
from mmoe.linker.queries import Query
from mmoe.linker.results import LinkResult
from mmoe.locks import exclusive_lock

READ = (*ROW_FILES, ".parquet")
WRITTEN = (".jsonl", ".csv", ".parquet")
TABLE = pa.schema(
    [
        *(("row", pa.int64()), ("mention_id", pa.string()), ("surface_form", pa.string())),
        *(("is_nil", pa.bool_()), ("nil_probability", pa.float64())),
        *(("qid", pa.string()), ("name", pa.string()), ("score", pa.float64())),
        *(("probability", pa.float64()), ("qids", pa.list_(pa.string()))),
    ]
)
FORM = "surface_form"  # the column that there must be
WRITE_ROWS = 4096  # of a row group


@dataclass(frozen=True)
class Batch:
    """What is to be linked, and where the results go.

    Attributes:
        source: JSONL, CSV, TSV or Parquet with a column surface_form, and context, image, description and
            mention_id where there are such.
        out: JSONL with whole results, or CSV or Parquet with a row for each mention.
        images: folder that images are relative to.
        top_k: entities of each mention.
    """

    source: Path
    out: Path
    images: Path
    top_k: int = 5

    @property
    def rejected(self) -> Path:
        """Rows that can't be linked, with reasons; there is none if all can."""
        return self.out.with_name(f"{self.out.name}.rejected.jsonl")

    @property
    def journal(self) -> Path:
        """What is done, a line for each row that was read."""
        return self.out.with_name(f".{self.out.name}.unfinished")

    def check(self) -> None:
        """Raises DataError if files are of unknown kinds, missing, without a row, or in the way."""
        if not self.source.is_file():
            raise DataError(f"{self.source}: no such file; name a table of mentions")
        for path, known in ((self.source, READ), (self.out, WRITTEN)):
            if path.suffix not in known:
                raise DataError(f"{path}: unknown ending; known: {', '.join(known)}")
        if self.out.exists():
            raise DataError(f"{self.out}: is there already; remove it, or name another file")
        self._check_columns()

    def _check_columns(self) -> None:
        found, reasons = None, list[str]()
        for row in _rows(self.source):
            if isinstance(row, Row):
                found = row
                break
            reasons.append(row)
        if found is None:
            raise DataError(reasons[0] if reasons else f"{self.source}: holds no row")
        if self.source.suffix != ".jsonl" and FORM not in found.values:
            raise DataError(
                f"{self.source}: column `{FORM}` is missing, and there are {', '.join(found.values)}; rename "
                "the one that holds the mentions"
            )


@dataclass(frozen=True)
class Counts:
    """Rows that were linked, now or by a run that was killed, and those that could not be.

    Attributes:
        reason: why the first of those could not; "" if all could.
    """

    linked: int
    rejected: int
    reason: str = ""


def link_table(
    linker: Linker, batch: Batch, made_with: str, progress: Callable[[int], object]
) -> Counts:
    """Links all mentions of a table; given again after a kill, it goes on behind the last row that was done.
    Where none could be linked there are no results, and the same command may be given again.

    Args:
        made_with: names the bundle, so that no run goes on with another one.
        progress: is told how many more rows are done.
    Raises:
        DataError: see `Batch.check`; if unfinished work is of another table, bundle or top_k.
    """
    batch.check()
    linker.engine.check_top_k(batch.top_k)
    with exclusive_lock(batch.out.parent, f"{batch.journal.name}.lock"):
        with _opened_journal(batch, made_with) as (journal, done):
            progress(done)
            rest = itertools.islice(_rows(batch.source), done, None)
            while some := list(itertools.islice(rest, BATCH)):
                lines = [json.dumps(line) for line in _linked(linker, batch, some)]
                journal.write("".join(f"{line}\n" for line in lines))
                journal.flush()
                progress(len(lines))
        counts = _publish(batch)
        if not counts.linked:
            batch.out.unlink()
        batch.journal.unlink()
    return counts


def _rows(file: Path) -> Iterator[Row | str]:
    """The rows of a table and, between them, why others can't be read."""
    problems, told = Problems(), 0
    rows: Iterable[Row]
    if file.suffix == ".parquet":
        found = enumerate(arrow_rows(file), start=1)
        rows = (Row(file, number, _with_texts(values)) for number, values in found)
    else:
        rows = rows_of(file, problems)
    for row in rows:
        if len(problems) > told:
            yield from problems.take_new(told)
            told = len(problems)
        yield row
    yield from problems.take_new(told)


def _with_texts(values: dict[str, Any]) -> dict[str, Any]:
    """Whole numbers as texts: columns of ids and years are often stored as such."""
    return {
        name: str(value) if isinstance(value, int) and not isinstance(value, bool) else value
        for name, value in values.items()
    }


def _linked(linker: Linker, batch: Batch, rows: Sequence[Row | str]) -> list[dict[str, Any]]:
    """A line of the journal for each."""
    lines: list[dict[str, Any]] = []
    queries: dict[int, Query] = {}
    for i, row in enumerate(rows):
        try:
            if isinstance(row, str):
                raise DataError(row)
            lines.append({"row": row.number, "mention_id": row.optional("mention_id")})
            queries[i] = _query(row, batch.images)
        except (DataError, LinkingError) as error:
            place = {} if isinstance(row, str) else {"row": row.number, "values": row.values}
            lines[i:] = [{**place, "error": str(error)}]
    for i, result in _results(linker, queries, batch.top_k):
        row = rows[i]
        assert isinstance(row, Row)
        if isinstance(result, LinkingError):
            lines[i] = {"row": row.number, "values": row.values, "error": f"{row.where}: {result}"}
        else:
            lines[i] |= result.to_json()
    return [_writable(line) for line in lines]


def _query(row: Row, images: Path) -> Query:
    """Raises DataError or LinkingError if the row is none."""
    image = row.optional("image")
    query = Query(
        row.filled(FORM),
        row.optional("context") or "",
        None if image is None else images / image,
        row.optional("description"),
    )
    try:
        query.check()
    except LinkingError as error:
        raise LinkingError(f"{row.where}: {error}") from None
    return query


def _results(
    linker: Linker, queries: dict[int, Query], top_k: int
) -> Iterator[tuple[int, LinkResult | LinkingError]]:
    try:
        together = list(linker.link_many(queries.values(), top_k=top_k))
        yield from zip(queries, together, strict=True)
    except LinkingError:  # one of them; each for itself then says which
        for i, query in queries.items():
            try:
                yield i, next(linker.link_many([query], top_k=top_k))
            except LinkingError as error:
                yield i, error


def _writable(line: dict[str, Any]) -> dict[str, Any]:
    """Values of a bad row may be of any type: those that are no JSON are shown as text."""
    if "values" not in line:
        return line
    return line | {"values": _plain(line["values"])}


def _plain(value: Any) -> Any:
    """A value as JSON can hold it."""
    if isinstance(value, dict):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    is_number = isinstance(value, (int, float)) and math.isfinite(value)
    return value if value is None or isinstance(value, str) or is_number else str(value)


@contextmanager
def _opened_journal(batch: Batch, made_with: str) -> Iterator[tuple[Any, int]]:
    """The journal, to be appended to, and how many rows stand in it."""
    status = batch.source.stat()
    head = {
        "source": [status.st_size, status.st_mtime_ns],
        "bundle": made_with,
        "top_k": batch.top_k,
        "images": str(batch.images.resolve()),
    }
    batch.journal.parent.mkdir(parents=True, exist_ok=True)
    done = -1
    if batch.journal.exists():
        with batch.journal.open("r+b") as stream:
            ends = [0]
            for line in stream:
                if not line.endswith(b"\n"):
                    break
                if ends == [0] and _head_in(line) != head:
                    raise DataError(
                        f"{batch.journal}: unfinished work with another table, bundle, folder of images or "
                        "top_k; finish it with those, or delete it"
                    )
                ends.append(ends[-1] + len(line))
            # Half a line of a run that was killed goes, and with it those that were linked together with it:
            # what is linked beside a mention shows in the last digits of its scores.
            done = (len(ends) - 2) // BATCH * BATCH if len(ends) > 1 else -1
            stream.truncate(ends[done + 1])
    with batch.journal.open("a", encoding="utf-8") as journal:
        if done < 0:
            journal.write(json.dumps(head) + "\n")
        yield journal, max(done, 0)


def _head_in(line: bytes) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return None


def _publish(batch: Batch) -> Counts:
    """Makes the results of the journal."""
    bad, reason = 0, ""
    with atomic_write(batch.rejected) as path, path.open("w", encoding="utf-8") as stream:
        for line in _journaled(batch, errors=True):
            stream.write(json.dumps(line) + "\n")
            bad, reason = bad + 1, reason or str(line["error"])
    if not bad:
        batch.rejected.unlink()
    write = {".jsonl": _write_jsonl, ".csv": _write_csv, ".parquet": _write_parquet}
    with atomic_write(batch.out) as path:
        linked = write[batch.out.suffix](path, _journaled(batch, errors=False))
    return Counts(linked, bad, reason)


def _journaled(batch: Batch, *, errors: bool) -> Iterator[dict[str, Any]]:
    with batch.journal.open(encoding="utf-8") as stream:
        next(stream)
        for text in stream:
            line: dict[str, Any] = json.loads(text)
            if ("error" in line) == errors:
                yield line


def _write_jsonl(path: Path, lines: Iterator[dict[str, Any]]) -> int:
    number = 0
    with path.open("w", encoding="utf-8") as stream:
        for line in lines:
            stream.write(json.dumps(line, ensure_ascii=False) + "\n")
            number += 1
    return number


def _write_csv(path: Path, lines: Iterator[dict[str, Any]]) -> int:
    number = 0
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, TABLE.names)
        writer.writeheader()
        for line in lines:
            flat = _flat(line)
            writer.writerow(flat | {"qids": "|".join(flat["qids"])})
            number += 1
    return number


def _write_parquet(path: Path, lines: Iterator[dict[str, Any]]) -> int:
    number = 0
    with pq.ParquetWriter(path, TABLE) as writer:
        while some := [_flat(line) for line in itertools.islice(lines, WRITE_ROWS)]:
            writer.write_table(pa.Table.from_pylist(some, TABLE))
            number += len(some)
    return number


def _flat(line: dict[str, Any]) -> dict[str, Any]:
    """A row for a mention: its best entity, and the ids of all."""
    best = line["links"][0]
    found = {name: line.get(name, best.get(name)) for name in TABLE.names}
    return found | {"qids": [link["qid"] for link in line["links"]]}
