"""WikiDiverse's lists: what is read of each oddity, what is counted, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmoe.datasets import read_dataset
from mmoe.datasets.wikidiverse import page_title, title_of_url
from mmoe.errors import DataError

from tests.datasets.folders import image, write_csv
from tests.datasets.mimic_folder import write_json
from tests.datasets.wikidiverse_folder import (
    IMAGE,
    PAGE,
    digest,
    item,
    link,
    write_odd_wikidiverse,
    write_wikidiverse,
)


def test_several_mentions_a_sentence(tmp_path: Path) -> None:
    found = read_dataset(write_odd_wikidiverse(tmp_path), "wikidiverse").mentions[:6]
    assert [m.mention_id for m in found] == [f"train-1#{n}" for n in range(5)] + ["train-2"]
    assert {m.sentence_id for m in found[:5]} == {"train-1"}
    assert [m.gold_qid for m in found] == ["Q2", None, "Q1", None, None, "Q9"]
    assert [m.in_kb for m in found] == [True, False, True, False, False, False]


def test_everything_odd_is_counted(tmp_path: Path) -> None:
    counts = read_dataset(write_odd_wikidiverse(tmp_path), "wikidiverse").counts
    assert {key: number for key, number in counts.items() if number} == {
        "missing_mention_images": 1,
        "missing_entity_images": 1,
        "sentences_without_mention": 1,
        "surface_forms_beside_their_offsets": 2,
        "surface_forms_not_in_sentence": 1,
        "urls_without_title": 1,
        "mentions_of_titles_without_qid": 2,
        "titles_without_qid": 1,
        "ignored_key.entities.topic": 1,
    }


@pytest.mark.parametrize("folder", ["wikinewsImgs", "mention_image", "mention_images", "images"])
@pytest.mark.parametrize(
    ("url", "name"),
    [
        (f"{IMAGE}Red%2C_blue.JPG", f"{digest('Red%2C_blue.JPG')}.JPG"),
        (f"{IMAGE}Red%2C_blue.JPG", f"{digest('Red,_blue.JPG')}.jpg"),
        (f"{IMAGE}Map.svg", f"{digest('Map.svg')}.png"),
        (f"{IMAGE}Old.tif", f"{digest('Old.tif')}Old.tif"),
        (f"{IMAGE}Whole.jpg", f"{digest(f'{IMAGE}Whole.jpg')}.jpg"),
        (f"{IMAGE}Plain%20name.jpg", "Plain name.jpg"),
    ],
)
def test_images_by_digest(tmp_path: Path, folder: str, url: str, name: str) -> None:
    write_wikidiverse(tmp_path, [item(url=url)])
    image(tmp_path, f"{folder}/{name}")
    image(tmp_path, f"{folder}/{digest('another')}.jpg")
    dataset = read_dataset(tmp_path, "auto")
    assert [m.image for m in dataset.mentions] == [f"{folder}/{name}", None, None]
    assert dataset.counts["missing_mention_images"] == 0


@pytest.mark.parametrize(
    ("url", "title"),
    [
        (f"{PAGE}Lake_Geneva", "Lake Geneva"),
        (f"{PAGE}lake__Geneva#History_of", "Lake Geneva"),
        ("ttps://en.m.wikipedia.org/wiki/Lake%20Geneva ", "Lake Geneva"),
        (f"{PAGE}AC/DC", "AC/DC"),
        (f"{PAGE}Who%3F", "Who?"),
        (f"{PAGE}E%CC%81mile", "Émile"),
        (f"{PAGE}", None),
        (f"{PAGE}#top", None),
        ("nil", None),
        ("", None),
    ],
)
def test_the_title_of_a_url(url: str, title: str | None) -> None:
    assert title_of_url(url) == title


@given(st.text(alphabet="aßÉe\u0301_ /ǆ", max_size=8))
def test_a_title_is_its_own_title(text: str) -> None:
    title = page_title(text)
    assert page_title(title.replace(" ", "_")) == title


def test_the_table_as_csv(tmp_path: Path) -> None:
    (write_wikidiverse(tmp_path) / "title2qid.json").unlink()
    rows = [{"title": "Lake_Geneva", "qid": "Q7"}, {"title": "Gone", "qid": ""}]
    write_csv(tmp_path / "title2qid.csv", rows)
    dataset = read_dataset(tmp_path, "auto")
    assert {m.gold_qid for m in dataset.mentions} == {"Q7"}
    assert "title2qid.csv" in dataset.sources


TEXT = "Boats on the Lake."


@pytest.mark.parametrize(
    ("spoilt", "message"),
    [
        ("text", r"train\.json, row 1: must be a list \[sentence, image URL, topic, mentions\]"),
        ([TEXT, "", "x", "y"], r"row 1: must be a list \[sentence"),
        ([TEXT, 5, []], r"row 1, image URL: must be text, found 5"),
        (
            item(TEXT, "Lake"),
            r"row 1, mention 1: must be a list \[surface form, type, start, end, Wiki",
        ),
        (item(TEXT, link("Lake", TEXT)[:4]), r"mention 1: must be a list \[surface form"),
        (
            item(TEXT, link("Lake", TEXT), [1, "x", 0, 1, ""]),
            r"mention 2, surface form: must be text",
        ),
        (item(TEXT, ["Lake", "x", "0", 1, ""]), r'start: must be a whole number from 0, found "0"'),
        (item(TEXT, ["Lake", "x", 0, -1, ""]), r"end: must be a whole number from 0, found -1"),
        (item(TEXT, ["Lake", "x", 0, 1, 7]), r"Wikipedia URL: must be text, found 7"),
    ],
)
def test_a_bad_item(tmp_path: Path, spoilt: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_dataset(write_wikidiverse(tmp_path, [spoilt]), "wikidiverse")


@pytest.mark.parametrize(
    ("qids", "message"),
    [
        (["Q1"], r"title2qid\.json: must be one JSON object, found list"),
        ({"Lake": 1}, r"title2qid\.json, key 'Lake': must be text, found 1"),
        (
            {"Lake_A": "Q1", "lake A": "Q2"},
            r"key 'lake A': title 'Lake A' has qid 'Q1' already; keep one",
        ),
    ],
)
def test_a_bad_table(tmp_path: Path, qids: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_dataset(write_wikidiverse(tmp_path, qids=qids), "wikidiverse")


def test_a_table_in_both_endings_or_none(tmp_path: Path) -> None:
    write_csv(write_wikidiverse(tmp_path) / "title2qid.csv", [{"title": "A", "qid": "Q1"}])
    with pytest.raises(DataError, match=r"holds title2qid\.json and title2qid\.csv; remove one"):
        read_dataset(tmp_path, "auto")
    for ending in ("json", "csv"):
        (tmp_path / f"title2qid.{ending}").unlink()
    with pytest.raises(DataError, match=r"no title2qid\.json or title2qid\.csv; write there which"):
        read_dataset(tmp_path, "auto")


def test_the_splits_alone_are_recognised_but_not_another_formats(tmp_path: Path) -> None:
    write_json(tmp_path / "splits.json", {})
    for name in ("train", "valid", "test"):
        write_json(tmp_path / f"{name}.json", [])
    with pytest.raises(DataError, match=r"wanted one \.json file with the mentions beside qid2abs"):
        read_dataset(tmp_path, "auto")
