"""licences.jsonl, and images put into a table of entities."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from mmoe.errors import WikidataError
from mmoe.wikidata.images.fetch import Failure, FetchedImage
from mmoe.wikidata.images.folder import (
    FAILURES,
    Work,
    check_place,
    put_into,
    read_licences,
)


def write(file: Path, *rows: object) -> Path:
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    return file


def images(file: Path) -> list[list[str] | None]:
    return [orjson.loads(line).get("images") for line in file.read_bytes().splitlines()]


@pytest.mark.parametrize("row", [["Q1"], {"id": "Q1"}, {"qid": 1}])
def test_another_table_is_named(tmp_path: Path, row: object) -> None:
    write(tmp_path / "licences.jsonl", row)
    with pytest.raises(WikidataError, match=r"licences\.jsonl, row 1: "):
        read_licences(tmp_path)


def test_images_are_put_after_the_users_own_and_replace_earlier_ones(tmp_path: Path) -> None:
    table = write(
        tmp_path / "entities.jsonl",
        {"qid": "Q1", "name": "a"},
        {"qid": " Q2 ", "images": ["mine.jpg", "kb/images/Q2.png"], "extra": 1},
        {"qid": "Q3", "images": None},
        {"qid": "Q4", "images": ["kb/images/Q44.jpg"]},
    )
    paths = {"Q1": "images/Q1.jpg", "Q2": "images/Q2.jpg", "Q4": "images/Q4.gif"}
    for _ in range(2):
        assert put_into(table, tmp_path / "kb", paths) == 3
        assert images(table) == [
            ["kb/images/Q1.jpg"],
            ["mine.jpg", "kb/images/Q2.jpg"],
            None,
            ["kb/images/Q44.jpg", "kb/images/Q4.gif"],
        ]
    assert orjson.loads(table.read_bytes().splitlines()[1])["extra"] == 1


def test_other_rows_stay_to_the_byte(tmp_path: Path) -> None:
    other = '{ "qid":"Q9",  "name" : "\\u00e9é" }'
    (tmp_path / "entities.jsonl").write_text(f'{other}\n\n{{"qid": "Q1"}}', encoding="utf-8")
    put_into(tmp_path / "entities.jsonl", tmp_path, {"Q1": "images/Q1.jpg"})
    lines = (tmp_path / "entities.jsonl").read_text("utf-8").splitlines()
    assert lines == [other, '{"qid":"Q1","images":["images/Q1.jpg"]}']


def test_a_broken_row_leaves_the_table_alone(tmp_path: Path) -> None:
    table = tmp_path / "entities.jsonl"
    table.write_text('{"qid": "Q1"}\n{broken\n')
    with pytest.raises(WikidataError, match=r"entities\.jsonl, row 2: not valid JSON"):
        put_into(table, tmp_path, {"Q1": "images/Q1.jpg"})
    assert table.read_text() == '{"qid": "Q1"}\n{broken\n'


def test_images_must_lie_where_the_table_can_name_them(tmp_path: Path) -> None:
    table = write(tmp_path / "kb" / "entities.jsonl", {"qid": "Q1"})
    check_place(table, tmp_path / "kb")
    check_place(table, tmp_path / "kb" / "deep" / "er")
    with pytest.raises(WikidataError, match=r"lies outside of .*kb, from where"):
        check_place(table, tmp_path / "other")
    with pytest.raises(
        WikidataError, match=r"entities\.csv: no such file; name the entities\.jsonl"
    ):
        check_place(table.with_suffix(".csv"), tmp_path / "kb")


def test_half_a_line_and_half_a_file_count_for_nothing(tmp_path: Path) -> None:
    work = Work(tmp_path)
    work.keep("A.jpg", FetchedImage(b"bytes", ".jpg", 1, 1))
    (arrived,) = tmp_path.glob("*.jpg")
    arrived.rename(arrived.with_name(f".{arrived.name}.123.tmp"))
    work.note({"B.jpg": Failure("gone")})
    with (tmp_path / FAILURES).open("ab") as log:
        log.write(b'["C.jpg","half')
    again = Work(tmp_path)
    assert again.arrived("A.jpg") is None
    assert again.failures == {"B.jpg": "gone"}
    again.note({"C.jpg": Failure("whole")})
    assert Work(tmp_path).failures == {"B.jpg": "gone", "C.jpg": "whole"}
