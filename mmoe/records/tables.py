"""Records to Parquet and back, with the schema version and the sources' checksums in the metadata."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import pyarrow as pa
import pyarrow.parquet as pq

from mmoe.errors import DataError, one_line
from mmoe.files import atomic_write

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
) -> None:
    """Writes records of one type; `metadata` (JSON values) goes into the file beside the version."""
    rows, schema = list(records), schema_of(kind)
    columns = [
        pa.array([getattr(row, field.name) for row in rows], type=schema.field(field.name).type)
        for field in fields(kind)  # type: ignore[arg-type]
    ]
    own = {"mmoe.schema": kind.__name__, "mmoe.schema_version": SCHEMA_VERSION}
    own["mmoe.metadata"] = json.dumps(dict(metadata or {}), ensure_ascii=False, sort_keys=True)
    table = pa.Table.from_arrays(columns, schema=schema.with_metadata(own))
    with atomic_write(path) as temporary:
        pq.write_table(table, temporary, compression="zstd")


def read_records(path: Path, kind: type[Record]) -> list[Record]:
    """Reads all records of one type, in file order.

    Raises:
        DataError: if the file is missing, truncated, or was written with another schema.
    """
    table = _read(path, lambda: pq.read_table(path))
    _check_schema(path, kind, table.schema)
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    columns = [_values(table.column(name)) for name in names]
    return [kind(*row) for row in zip(*columns, strict=True)]


def read_metadata(path: Path) -> dict[str, Any]:
    """The metadata that `write_records` was given."""
    schema = _read(path, lambda: pq.read_schema(path))
    stored: dict[str, Any] = json.loads((schema.metadata or {}).get(b"mmoe.metadata", b"{}"))
    return stored


def _values(column: pa.ChunkedArray) -> list[Any]:
    values: list[Any] = column.to_pylist()
    return [tuple(value) for value in values] if pa.types.is_list(column.type) else values


def _read(path: Path, read: Any) -> Any:
    try:
        return read()
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; run the stage that writes it (dvc repro)") from None
    except (pa.ArrowInvalid, OSError) as error:
        raise DataError(
            f"{path}: not a whole Parquet file ({one_line(error)}); delete it and run dvc repro"
        ) from None


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
