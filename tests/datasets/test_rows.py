"""Rows are read one at a time; a row that can't be read is noted and the next one is read."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmoe.datasets.problems import Kind, Problems
from mmoe.datasets.rows import Row, read_rows, rows_of


def read(file: Path) -> tuple[list[Row], Problems]:
    problems = Problems()
    return list(rows_of(file, problems)), problems


def test_a_broken_line_does_not_hide_the_next(tmp_path: Path) -> None:
    file = tmp_path / "t.jsonl"
    file.write_text('{"a": 1}\n{"a": \n\n[]\n{"a": 2, "a": 3}\n{"a": 4}', "utf-8")
    rows, problems = read(file)
    assert [(row.number, row.values) for row in rows] == [(1, {"a": 1}), (6, {"a": 4})]
    assert [line.partition(", ")[2].partition(":")[0] for line in problems.lines] == [
        "row 2",
        "row 4",
        "row 5",
    ]


def test_a_broken_csv_row_does_not_hide_the_next(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text('a,b\n1\n"2"x,2\n"3\n3",3\n4,4,4\n5,5\n"6', "utf-8")
    rows, problems = read(file)
    assert [(row.number, row.values["a"]) for row in rows] == [(4, "3\n3"), (7, "5")]
    assert [line.split(", ")[1].partition(":")[0] for line in problems.lines] == [
        "row 2",
        "row 3",
        "row 6",
        "row 8",
    ]


@pytest.mark.parametrize("ending", [".jsonl", ".csv"])
def test_the_rows_of_a_file_that_is_not_utf8_are_still_looked_at(
    tmp_path: Path, ending: str
) -> None:
    file, row = tmp_path / f"t{ending}", '{"a": "%s"}\n' if ending == ".jsonl" else "%s\n"
    text = ("" if ending == ".jsonl" else "a\n") + row % "Z\xfcrich" + row % "Z\xe4rich"
    file.write_bytes(text.encode("latin-1"))
    rows, problems = read(file)
    assert len({row.values["a"] for row in rows}) == 2
    for found in rows:
        assert found.text("a").encode(), (
            "no half of a surrogate pair that would be a second problem"
        )
    assert [str(kind) for kind in (Kind.ENCODING,) if problems.of(kind)] == ["not UTF-8"]
    assert len(problems) == 1


def test_tabs_separate_a_tsv(tmp_path: Path) -> None:
    (tmp_path / "t.tsv").write_text("a\tb\n1,5\tx|y\n", "utf-8")
    (row,) = read_rows(tmp_path / "t.tsv")
    assert row.values == {"a": "1,5", "b": "x|y"}


JSON_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(objects=st.lists(st.dictionaries(st.text(max_size=5), JSON_VALUES, max_size=4), max_size=5))
def test_jsonl_comes_back_as_written(objects: list[dict[str, Any]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "t.jsonl")
        file.write_text("".join(json.dumps(value) + "\r\n" for value in objects), "utf-8")
        rows, problems = read(file)
    assert [row.values for row in rows] == objects
    assert not problems


def test_a_line_of_a_problem_stays_one_line() -> None:
    problems = Problems()
    problems.add(Kind.BROKEN, "key `a\nb\ud800`")
    problems.add(Kind.BROKEN, "key `a\nb\ud800`")
    assert problems.lines == ["key `a\\nb\\ud800`"]
    assert problems.summary() == "1 unreadable row"
