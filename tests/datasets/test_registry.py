"""A folder is recognised by its files, or the message says what was looked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from mmoe.datasets import read_dataset
from mmoe.errors import DataError

from tests.datasets.folders import write_melbench, write_own


def test_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"absent: no such folder; put the data set there"):
        read_dataset(tmp_path / "absent", "auto")


def test_an_unknown_folder_lists_what_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"no known format; looked for own: mentions.*melbench: qid2abs"
    ):
        read_dataset(tmp_path, "auto")


def test_two_formats_in_one_folder_want_the_knob(tmp_path: Path) -> None:
    write_melbench(write_own(tmp_path))
    with pytest.raises(DataError, match=r"looks like own and melbench; set data\.format"):
        read_dataset(tmp_path, "auto")
    assert read_dataset(tmp_path, "own").format == "own"
    assert read_dataset(tmp_path, "melbench").format == "melbench"


def test_an_unknown_format(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"data\.format = 'mimic': unknown; known: auto, own"):
        read_dataset(tmp_path, "mimic")


@pytest.mark.parametrize("stem", ["mentions", "entities"])
def test_half_a_folder(tmp_path: Path, stem: str) -> None:
    (write_own(tmp_path) / f"{stem}.jsonl").unlink()
    with pytest.raises(DataError, match=rf"no {stem}\.jsonl or {stem}\.csv; add one of them"):
        read_dataset(tmp_path, "auto")


def test_a_table_in_both_endings(tmp_path: Path) -> None:
    (write_own(tmp_path) / "mentions.csv").write_text("mention_id\n")
    with pytest.raises(DataError, match=r"mentions\.jsonl and mentions\.csv; remove one"):
        read_dataset(tmp_path, "auto")


def test_an_empty_knowledge_base(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"the knowledge base is empty"):
        read_dataset(write_own(tmp_path, entities=[]), "auto")
