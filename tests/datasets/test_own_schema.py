"""The published JSON Schema, the models and the reader say the same of a row."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from mmoe.datasets.own import read_tables
from mmoe.datasets.own_schema import ROWS, json_schema

from tests.datasets.folders import mention, two_entities, write_own

WORDS = st.sampled_from(
    ["", " ", "\u3000", "nil", " NIL ", "nile", "Q1", "train", "dev", "\n", "a\nb"]
)
VALUES: st.SearchStrategy[Any] = (
    WORDS | st.none() | st.integers(0, 3) | st.booleans() | st.lists(WORDS | st.none(), max_size=2)
)
LEGAL: dict[str, dict[str, Any]] = {"mentions": mention("m1"), "entities": two_entities()[1]}


@pytest.mark.parametrize("table", list(ROWS))
@given(data=st.data())
def test_schema_models_and_reader_agree(table: str, data: st.DataObject) -> None:
    keys = st.sampled_from([*ROWS[table].model_fields, "other"])
    spoilt = data.draw(st.dictionaries(keys, VALUES, max_size=2))
    left_out = data.draw(st.sets(keys, max_size=1))
    row = {key: value for key, value in (LEGAL[table] | spoilt).items() if key not in left_out}
    by_schema = jsonschema.Draft202012Validator(json_schema(table)).is_valid(row)
    try:
        ROWS[table].model_validate(row)
        by_model = True
    except ValidationError:
        by_model = False
    with tempfile.TemporaryDirectory() as folder:
        write_own(Path(folder), **{table: [row]})
        read = read_tables(Path(folder))
    assert by_schema == by_model == (not read.problems), read.problems.lines


def test_the_schema_of_both_tables_is_legal() -> None:
    both = json_schema()
    jsonschema.Draft202012Validator.check_schema(both)
    validator = jsonschema.Draft202012Validator(both)
    assert all(validator.is_valid(row) for row in LEGAL.values())
    assert not validator.is_valid({"mention_id": "m1"})
