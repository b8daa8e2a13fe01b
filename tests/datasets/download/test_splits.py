"""The split rule: against the published split, and what holds for any ids."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmoe.datasets.download.splits import record_ids, split_by_hash
from mmoe.errors import DataError

IDS = st.lists(st.text(st.characters(exclude_categories=["Cs"])), unique=True, min_size=2)


def digest(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


@given(ids=IDS, data=st.data())
def test_valid_sorts_first_and_orders_stay(ids: list[str], data: st.DataObject) -> None:
    cut = data.draw(st.integers(1, len(ids)))
    num_valid = data.draw(st.integers(0, cut - 1))
    splits = split_by_hash(ids[:cut], ids[cut:], num_valid)
    assert list(splits) == ["train", "valid", "test"]
    assert splits["test"] == ids[cut:]
    assert len(splits["valid"]) == num_valid
    assert [name for name in ids if name in splits["train"]] == splits["train"]
    assert sorted(splits["train"] + splits["valid"]) == sorted(ids[:cut])
    assert all(digest(v) < digest(t) for v in splits["valid"] for t in splits["train"])


def test_three_ids_by_hand() -> None:
    # sha256: a is ca97…, b 3e23…, c 2e7d….
    assert split_by_hash(["a", "b", "c"], ["d"], 1) == {
        "train": ["a", "b"],
        "valid": ["c"],
        "test": ["d"],
    }


@pytest.mark.parametrize(
    ("train", "test", "message"),
    [
        (["a", "b", "a"], [], "id 'a' stands twice"),
        (["a", "b"], ["c", "b"], "id 'b' stands twice"),
        (["a"], ["b", "c"], "1 train ids: too few to take 1 for valid"),
    ],
)
def test_parts_that_are_no_parts(train: list[str], test: list[str], message: str) -> None:
    with pytest.raises(DataError, match=message):
        split_by_hash(train, test, 1)


def test_ids_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "train.json"
    file.write_text(json.dumps({"Q2": {"id": "Q2"}, "7": {"id": 7}, "Q1": {}}))
    assert record_ids(file) == ["Q2", "7", "Q1"]


@pytest.mark.parametrize("content", [[], {"a": []}, {"a": {"id": "b"}}, "a"])
def test_a_file_of_something_else(tmp_path: Path, content: object) -> None:
    (tmp_path / "train.json").write_text(json.dumps(content))
    with pytest.raises(DataError, match=r"train\.json.*: must be .*; fetch the file again"):
        record_ids(tmp_path / "train.json")


@pytest.mark.skipif("MMOE_REAL_DATA" not in os.environ, reason="MMOE_REAL_DATA names no folder")
def test_the_published_split_of_richpediamel() -> None:
    folder = Path(os.environ["MMOE_REAL_DATA"]) / "richpediamel"
    wanted = json.loads((folder / "splits.json").read_text("utf-8"))
    held = set(wanted["train"]) | set(wanted["valid"])
    together = [name for name in record_ids(folder / "Richpedia-MEL.json") if name in held]
    splits = split_by_hash(together, wanted["test"], 1_780)
    assert {name: set(ids) for name, ids in splits.items()} == {
        name: set(ids) for name, ids in wanted.items()
    }
    assert splits["test"] == wanted["test"]
