"""Records to Parquet and back, with the schema version and the sources' checksums in the metadata."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import pyarrow as pa

from mmoe.errors import DataError, one_line
from mmoe.sealed_parquet import made_of_by, read_sealed, seal_of, write_sealed

SCHEMA_VERSION = "3"

_ARROW = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}

Record = TypeVar("Record")


def schema_of(kind: type[Any]) -> pa.Schema:
    """The Parquet schema of a record type: one column a field, nullable only where the type says so."""
    return pa.schema([_field(name, hint) for name, hint in get_type_hints(kind).items()])


def _field(name: str, hint: Any) -> pa.Field:
    if get_origin(hint) is tuple:
        return pa.field(name, pa.list_(pa.string()), nullable=False)
    options = get_args(hint) or (hint,)
    plain = next(option for option in options if option is not type(None))
    return pa.field(name, _ARROW[plain], nullable=type(None) in options)


def write_records(
    path: Path,
    kind: type[Record],
    records: Iterable[Record],
    metadata: Mapping[str, Any] | None = None,
    made_of: Sequence[Path] = (),
) -> None:
    """Writes records of one type.

    Args:
        metadata: JSON values that go into the file beside the version.
        made_of: files of records that they were computed from; `read_records` asks for the same ones.
    """
    rows, schema = list(records), schema_of(kind)
    columns = [
        pa.array([getattr(row, field.name) for row in rows], type=schema.field(field.name).type)
        for field in fields(kind)  # type: ignore[arg-type]
    ]
    own = {"mmoe.schema": kind.__name__, "mmoe.schema_version": SCHEMA_VERSION}
    own["mmoe.metadata"] = json.dumps(dict(metadata or {}), ensure_ascii=False, sort_keys=True)
    table = pa.Table.from_arrays(columns, schema=schema.with_metadata(own))
    write_sealed(path, table, made_of)


def read_records(path: Path, kind: type[Record], made_of: Sequence[Path] = ()) -> list[Record]:
    """Reads all records of one type, in file order.

    Args:
        made_of: files that they must have been computed from, as they are now.
    Raises:
        DataError: if the file is missing or not as it was written, was written with another schema, or was
            made of other records.
    """
    table = read_pipeline_table(path, made_of=made_of)
    _check_schema(path, kind, table.schema)
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    columns = [_values(table.column(name)) for name in names]
    return [kind(*row) for row in zip(*columns, strict=True)]


def read_metadata(path: Path) -> dict[str, Any]:
    """The metadata that `write_records` was given."""
    metadata = read_pipeline_table(path, []).schema.metadata or {}
    stored: dict[str, Any] = json.loads(metadata.get(b"mmoe.metadata", b"{}"))
    return stored


def read_pipeline_table(
    path: Path, columns: Sequence[str] | None = None, made_of: Sequence[Path] = ()
) -> pa.Table:
    """A Parquet file of the pipeline, all of it or some columns.

    Args:
        made_of: files that it must have been computed from, as they are now.
    Raises:
        DataError: if it is missing, not as it was written, lacks a column, or was made of others.
    """
    with _trouble(path):
        table = read_sealed(path, columns)
    for file, stated in made_of_by(table.schema, made_of).items():
        with _trouble(file):
            found = seal_of(file)
        if found != stated:
            raise DataError(
                f"{path}: made of another {file.name} than the one that lies there now; run the stage that "
                "writes it again (dvc repro)"
            )
    return table


@contextmanager
def _trouble(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; run the stage that writes it (dvc repro)") from None
    except (pa.ArrowException, OSError) as error:
        raise DataError(
            f"{path}: not a whole Parquet file ({one_line(error)}); delete it and run dvc repro"
        ) from None
    except ValueError as error:
        raise DataError(f"{path}: {one_line(error)}; delete it and run dvc repro") from None


def _values(column: pa.ChunkedArray) -> list[Any]:
    values: list[Any] = column.to_pylist()
    return [tuple(value) for value in values] if pa.types.is_list(column.type) else values


def _check_schema(path: Path, kind: type[Any], found: pa.Schema) -> None:
    metadata = found.metadata or {}
    wanted = (kind.__name__, SCHEMA_VERSION)
    stored = tuple(
        metadata.get(key, b"").decode() for key in (b"mmoe.schema", b"mmoe.schema_version")
    )
    if stored != wanted or not schema_of(kind).equals(found):
        raise DataError(
            f"{path}: holds schema {stored[0] or 'unknown'} version {stored[1] or 'unknown'}, "
            f"wanted {wanted[0]} version {wanted[1]}; run dvc repro to write it again"
        )
