"""Records survive Parquet unchanged; a file that is not theirs is refused with a remedy."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, get_type_hints

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmoe.errors import DataError
from mmoe.records import (
    Candidate,
    Description,
    Entity,
    ImageInput,
    Mention,
    TextInput,
    read_metadata,
    read_records,
    write_records,
)
from mmoe.records.tables import SCHEMA_VERSION
from mmoe.sealed_parquet import write_sealed

KINDS: tuple[type[Any], ...] = (Mention, Entity, Candidate, Description, TextInput, ImageInput)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)  # no half surrogate pairs
VALUES: dict[Any, st.SearchStrategy[Any]] = {
    str: TEXT,
    int: st.integers(-(2**63), 2**63 - 1),
    float: st.floats(allow_nan=False),
    bool: st.booleans(),
    tuple[str, ...]: st.lists(TEXT, max_size=3).map(tuple),
}
VALUES |= {kind | None: st.none() | VALUES[kind] for kind in (str, int, float, bool)}
ENTITIES = [Entity("Q1", "Ada", "", ()), Entity("Q2", "Ben", "sailor", ("b.png", "c.png"))]


def records(kind: type[Any]) -> st.SearchStrategy[list[Any]]:
    fields = {name: VALUES[hint] for name, hint in get_type_hints(kind).items()}
    return st.lists(st.builds(kind, **fields), max_size=5)


@pytest.mark.parametrize("kind", KINDS)
@settings(deadline=None, max_examples=25)
@given(data=st.data())
def test_what_is_written_is_read_in_order(kind: type[Any], data: st.DataObject) -> None:
    rows = data.draw(records(kind))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.parquet"
        write_records(path, kind, iter(rows))
        found = read_records(path, kind)
    assert found == rows
    assert [type(row) for row in found] == [kind] * len(rows)


def test_a_null_where_none_may_stand_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "e.parquet"
    with pytest.raises(pa.ArrowInvalid):
        write_records(path, Entity, [Entity("Q1", None, "", ())])  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_metadata_travel_with_the_records(tmp_path: Path) -> None:
    metadata = {"sources": {"größe.json": "ab"}, "format": "own", "n": [1, None, True]}
    write_records(tmp_path / "e.parquet", Entity, ENTITIES, metadata)
    assert read_metadata(tmp_path / "e.parquet") == metadata
    assert read_records(tmp_path / "e.parquet", Entity) == ENTITIES


def test_equal_records_make_equal_bytes(tmp_path: Path) -> None:
    for name, metadata in (("a", {"x": 1, "y": 2}), ("b", {"y": 2, "x": 1})):
        write_records(tmp_path / name, Entity, ENTITIES, metadata)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def refused(path: Path, kind: type[Any]) -> str:
    with pytest.raises(DataError) as caught:
        read_records(path, kind)
    return str(caught.value)


def test_a_missing_file_names_the_remedy(tmp_path: Path) -> None:
    path = tmp_path / "mentions.parquet"
    wanted = f"{path}: no such file; run the stage that writes it (dvc repro)"
    assert refused(path, Mention) == wanted
    with pytest.raises(DataError, match="no such file"):
        read_metadata(path)


@pytest.mark.parametrize("kept", [slice(-1), slice(40), slice(0), slice(8, None)])
def test_a_file_that_is_not_whole_is_no_table(kept: slice, tmp_path: Path) -> None:
    path = tmp_path / "e.parquet"
    write_records(path, Entity, ENTITIES)
    path.write_bytes(path.read_bytes()[kept])
    said = refused(path, Entity)
    assert said.startswith(f"{path}: ")
    assert said.endswith("; delete it and run dvc repro")
    assert "\n" not in said


def test_bytes_spoiled_in_the_middle_are_noticed(tmp_path: Path) -> None:
    path = tmp_path / "e.parquet"
    write_records(path, Entity, [Entity(f"Q{i}", f"name {i * 7919}", "x", ()) for i in range(999)])
    content = bytearray(path.read_bytes())
    content[20:400] = bytes(380)
    path.write_bytes(bytes(content))
    assert "by its own checksum" in refused(path, Entity)


NOW, FOUND = {"schema": "Entity", "schema_version": SCHEMA_VERSION}, "holds schema Entity version"


@pytest.mark.parametrize(
    ("metadata", "change", "said"),
    [
        (
            {"schema": "Mention", "schema_version": SCHEMA_VERSION},
            None,
            "holds schema Mention version",
        ),
        (NOW | {"schema_version": "0"}, None, f"{FOUND} 0, wanted"),
        ({}, None, "holds schema unknown version unknown, wanted"),
        (NOW, lambda table: table.set_column(1, "name", pa.array([1, 2])), FOUND),
        (NOW, lambda table: table.drop_columns("name"), FOUND),
        (NOW, lambda table: table.append_column("more", pa.array([1, 2])), FOUND),
    ],
)
def test_another_schema_is_named(tmp_path: Path, metadata: Any, change: Any, said: str) -> None:
    path = tmp_path / "e.parquet"
    write_records(path, Entity, ENTITIES)
    table = pq.read_table(path)
    own = {f"mmoe.{key}": value for key, value in metadata.items()}
    write_sealed(path, (change(table) if change else table).replace_schema_metadata(own))
    message = refused(path, Entity)
    assert message.startswith(f"{path}: {said}")
    assert message.endswith(
        f"wanted Entity version {SCHEMA_VERSION}; run dvc repro to write it again"
    )
