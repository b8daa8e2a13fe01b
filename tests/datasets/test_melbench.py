"""MELBench's format: both record forms, splits, names, images, and its mistakes."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from mmoe.datasets import read_dataset
from mmoe.errors import DataError

from tests.datasets.folders import image, record, write_melbench
from tests.datasets.mimic_folder import without


def test_text_and_list_forms(tmp_path: Path) -> None:
    several = record("b", ["Q1", "nil"], mentions=["M", "N"], entities=["T", "U"])
    dataset = read_dataset(
        write_melbench(tmp_path, [record("a"), several, record("c", "Q7")]), "auto"
    )
    assert dataset.format == "melbench"
    assert [m.mention_id for m in dataset.mentions] == ["a", "b#0", "b#1", "c"]
    assert [m.sentence_id for m in dataset.mentions] == ["a", "b", "b", "c"]
    assert [m.split for m in dataset.mentions] == ["train", "valid", "valid", "test"]
    assert [m.gold_qid for m in dataset.mentions] == ["Q1", "Q1", None, "Q7"]
    assert [m.in_kb for m in dataset.mentions] == [True, True, False, True]


def test_names_and_attributes(tmp_path: Path) -> None:
    records = [record("a", "Q1"), record("b", "Q2"), record("c", "Q2", entities="Second")]
    folder = write_melbench(
        tmp_path,
        records,
        qid2abs={"Q3": "x", "Q1": "y"},
        qid2ne={"Q1": "Named", "Q99": "Nobody"},
    )
    dataset = read_dataset(folder, "melbench")
    found = [(e.qid, e.name, e.attributes) for e in dataset.entities]
    assert found == [("Q3", "Q3", "x"), ("Q1", "Named", "y"), ("Q2", "Title", "")]
    assert dataset.counts["entities_named_by_qid"] == 1
    assert dataset.counts["entities_without_attributes"] == 1
    assert dataset.counts["names_without_entity"] == 1


def test_ids_that_one_side_lacks_are_counted(tmp_path: Path) -> None:
    records = [record(name) for name in "abcd"]
    folder = write_melbench(
        tmp_path, records, splits={"train": ["a", "x", "y"], "valid": ["b"], "test": ["c"]}
    )
    dataset = read_dataset(folder, "melbench")
    assert [m.mention_id for m in dataset.mentions] == ["a", "b", "c"]
    assert dataset.counts["split_ids_without_record"] == 2
    assert dataset.counts["records_without_split"] == 1


@pytest.mark.parametrize("mention_folder", ["mention_image", "mention_images"])
def test_images_by_name(tmp_path: Path, mention_folder: str) -> None:
    records = [record("a"), record("b c"), record("c")]
    folder = write_melbench(
        tmp_path, records, splits={"train": ["a"], "valid": ["b c"], "test": ["c"]}
    )
    for name in ("a.JPG", "b%20c.png", "c.txt"):
        image(folder, f"{mention_folder}/{name}")
    image(folder, "kb_image/Q1.webp")
    dataset = read_dataset(folder, "melbench")
    wanted = [f"{mention_folder}/a.JPG", f"{mention_folder}/b%20c.png", None]
    assert [m.image for m in dataset.mentions] == wanted
    assert dataset.entities[0].images == ("kb_image/Q1.webp",)


@pytest.mark.parametrize(
    ("spoilt", "message"),
    [
        (without(record("a"), "sentence"), r"data\.json, record 'a': key `sentence` is missing"),
        (record("a", 5), r"record 'a', key `answer`: must be text, found 5"),
        (
            record("a", ["Q1"]),
            r"record 'a': .* of equal length, found mentions no list, entities no list, answer 1",
        ),
        (
            record("a", ["Q1"], mentions=["M", "N"], entities=["T"]),
            r"record 'a': .* of equal length, found mentions 2, entities 1, answer 1",
        ),
        (record("a", [["Q1"]], mentions=["M"], entities=["T"]), r"key `answer`: must be text"),
    ],
)
def test_a_bad_record(tmp_path: Path, spoilt: dict[str, Any], message: str) -> None:
    folder = write_melbench(tmp_path, [spoilt, record("b"), record("c")])
    with pytest.raises(DataError, match=message):
        read_dataset(folder, "melbench")


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"splits": {"train": ["a"], "test": ["a"]}}, r"id 'a' stands in train and in test"),
        ({"splits": {"training": ["a"]}}, r"splits\.json, key 'training': is no split"),
        ({"splits": {"train": {"a": 1}}}, r"splits\.json, key 'train': must be a list of ids"),
        ({"splits": ["a"]}, r"splits\.json: must be one JSON object, found list"),
        ({"qid2abs": {"Q1": ["x"]}}, r"qid2abs\.json, key 'Q1': must be text"),
        ({"data": {"a": "x"}}, r"data\.json, record 'a': must be a JSON object, found str"),
        ({"more": {}}, r"wanted one \.json file with the mentions .* found data\.json, more\.json"),
    ],
)
def test_a_bad_file(tmp_path: Path, files: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_dataset(write_melbench(tmp_path, **files), "melbench")


@pytest.mark.parametrize("name", ["qid2abs.json", "splits.json"])
def test_a_missing_file(tmp_path: Path, name: str) -> None:
    (write_melbench(tmp_path) / name).unlink()
    with pytest.raises(DataError, match=rf"{name}: no such file; it "):
        read_dataset(tmp_path, "auto")


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("a", r"data\.json: key `a` stands twice"),
        ("b", r"record 'b': mention id 'a' stands already in .*record 'a'"),
    ],
)
def test_a_repeated_record_is_no_silent_overwrite(tmp_path: Path, key: str, message: str) -> None:
    text = json.dumps(record("a"))
    (write_melbench(tmp_path) / "data.json").write_text(f'{{"a": {text}, "{key}": {text}}}')
    with pytest.raises(DataError, match=message):
        read_dataset(tmp_path, "melbench")


@pytest.mark.skipif("MMOE_REAL_DATA" not in os.environ, reason="MMOE_REAL_DATA names no folder")
def test_the_public_richpediamel() -> None:
    dataset = read_dataset(Path(os.environ["MMOE_REAL_DATA"]) / "richpediamel", "auto")
    splits = [sum(m.split == name for m in dataset.mentions) for name in ("train", "valid", "test")]
    assert splits == [12_464, 1_780, 3_561]
    assert len(dataset.entities) == 17_805
    assert all(mention.in_kb for mention in dataset.mentions)
