"""Lists of names and ids, as text and as JSON lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from mmoe.errors import WikidataError
from mmoe.wikidata.knowledge.request import read_names, read_qids


def write(tmp_path: Path, name: str, text: str) -> Path:
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    return file


def test_names_are_normalised_and_stand_once(tmp_path: Path) -> None:
    file = write(tmp_path, "names.txt", "Paris\n\n  paris \r\nNew_York\n \n")
    assert read_names(file) == {"paris", "new york"}


def test_names_of_mentions(tmp_path: Path) -> None:
    rows = (
        '{"mention_id": "a", "surface_form": "Ada"}\n\n{"mention_id": "b", "surface_form": " "}\n'
    )
    assert read_names(write(tmp_path, "mentions.jsonl", rows)) == {"ada"}


def test_ids_keep_their_order(tmp_path: Path) -> None:
    assert read_qids(write(tmp_path, "ids", "Q9\nQ10\nQ9\n\n")) == ("Q9", "Q10")


def test_ids_of_entities_and_mentions(tmp_path: Path) -> None:
    entities = write(tmp_path, "e.jsonl", '{"qid": "Q3", "name": "x"}\n{"qid": "Q1"}\n')
    assert read_qids(entities) == ("Q3", "Q1")
    rows = '{"gold_qid": "Q3"}\n{"gold_qid": null}\n{"gold_qid": "nil"}\n{"gold_qid": ""}\n'
    assert read_qids(write(tmp_path, "m.jsonl", rows)) == ("Q3",)


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("ids", "Q1\nParis\n", "row 2: 'Paris' is no item's id; write Q and a number"),
        ("ids", "Q1\nQ01\n", "row 2: 'Q01' is no item's id"),
        ("ids", "\n", "holds no item id; write one a line"),
        ("ids.jsonl", '{"gold_qid": null}', "holds no item id"),
        ("ids.jsonl", '{"id": "Q1"}', "row 1: has no key `qid` or `gold_qid`"),
        ("ids.jsonl", '["Q1"]', "row 1: must be a JSON object"),
        ("ids.jsonl", '{"qid": "Q1"}\nQ2', "row 2: not valid JSON"),
    ],
)
def test_what_is_no_list_of_ids_is_named(
    tmp_path: Path, name: str, text: str, complaint: str
) -> None:
    with pytest.raises(WikidataError, match=complaint):
        read_qids(write(tmp_path, name, text))


def test_no_name_and_no_file(tmp_path: Path) -> None:
    with pytest.raises(WikidataError, match="holds no name; write one a line"):
        read_names(write(tmp_path, "names", "\n"))
    with pytest.raises(WikidataError, match=r"gone: no such file"):
        read_names(tmp_path / "gone")
