"""The MIMIC release: what is read of each oddity, what is counted, and what is refused."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from mmoe.datasets import read_dataset
from mmoe.errors import DataError

from tests.datasets.folders import image
from tests.datasets.mimic_folder import (
    entity,
    record,
    without,
    write_json,
    write_mimic,
    write_odd_mimic,
)


def test_several_mentions_a_sentence_as_records_and_as_lists(tmp_path: Path) -> None:
    train = read_dataset(write_odd_mimic(tmp_path), "mimic").mentions[:5]
    assert [m.mention_id for m in train] == ["7#0", "7#1", "8#0", "8#1", "9"]
    assert [m.sentence_id for m in train] == ["7", "7", "8", "8", "9"]
    assert [m.gold_qid for m in train] == ["Q1", None, "Q2", "Q9", "Q2"]
    assert [m.in_kb for m in train] == [True, False, True, False, True]


@pytest.mark.parametrize(
    "folder", ["mention_image", "mention_images", "mention_images/mention_images"]
)
def test_images_under_other_names(tmp_path: Path, folder: str) -> None:
    """A .png that became a .jpg, accents in two characters, a name cut at its first dot."""
    mentions = read_dataset(write_odd_mimic(tmp_path, folder), "mimic").mentions
    leman = f"{folder}/Le\u0301man.jpg"
    assert [m.image for m in mentions[:5]] == [leman, leman, None, None, f"{folder}/St.jpg"]


def test_odd_entities(tmp_path: Path) -> None:
    dataset = read_dataset(write_odd_mimic(tmp_path), "mimic")
    assert dataset.mentions[0].surface_form == "Léman"
    assert [(e.qid, e.name, e.attributes, e.images) for e in dataset.entities] == [
        ("Q1", "Lac Léman", "Sort: lake.", ("kb_image/Q1_0.jpg", "kb_image/Q1?.png")),
        ("Q2", "Name of Q2", "Sort: lake.", ("kb_image/Q2_0.jpg",)),
        ("Q3", "Q3", "Sort: pond.", ()),
    ]


def test_everything_odd_is_counted(tmp_path: Path) -> None:
    counts = read_dataset(write_odd_mimic(tmp_path), "mimic").counts
    assert {key: number for key, number in counts.items() if number} == {
        "missing_mention_images": 1,
        "missing_entity_images": 2,  # one a row of the entity that stands twice
        "repeated_entity_images": 4,
        "repeated_entities": 1,
        "entities_named_by_qid": 1,
        "percent_encoded_names": 1,
        "percent_encoded_surface_forms": 1,
        "surface_forms_not_in_sentence": 1,
        "mentions_with_description": 1,
    }


def test_desc_becomes_the_mentions_description(tmp_path: Path) -> None:
    several = record(
        "l", ["Q1", "nil"], mentions=["Lake", "Boats"], entities=["A", "B"], desc=["Deep.", None]
    )
    folder = write_mimic(tmp_path, [record("a", desc="Of the Alps.\n"), several, record("d")])
    found = [m.description for m in read_dataset(folder, "mimic").mentions]
    assert found == ["Of the Alps.", "Deep.", None, None, None, None]


def test_a_image_by_its_first_dot_only_where_nothing_is_nearer(tmp_path: Path) -> None:
    rows = [record("a", imgPath="St.Paul.png"), record("d", imgPath="St.Anne.png")]
    kb = [entity("Q1", image_list=["St.Paul.png"])]
    folder = write_mimic(tmp_path, rows, kb)
    for name in ("mention_image/St.jpg", "mention_image/St.Anne.webp", "kb_image/St.jpg"):
        image(folder, name)
    dataset = read_dataset(folder, "mimic")
    assert [m.image for m in dataset.mentions[:2]] == [
        "mention_image/St.jpg",
        "mention_image/St.Anne.webp",
    ]
    assert dataset.entities[0].images == ()


def test_one_id_for_different_sentences(tmp_path: Path) -> None:
    """Ids that begin anew in each file would tie unrelated sentences together."""
    names = {"train": "train", "dev": "dev", "test": "test"}
    folder = write_mimic(tmp_path, [record(0), record(1)], names=names)
    write_json(folder / "dev.json", [record(0, sentence="Another Lake.")])
    dataset = read_dataset(folder, "auto")
    assert [m.mention_id for m in dataset.mentions] == ["0#0", "1", "0#1", "c"]
    assert [m.sentence_id for m in dataset.mentions] == ["0", "1", "0~2", "c"]
    assert dataset.counts["ids_of_several_sentences"] == 1


def test_ids_are_held_against_qid2id(tmp_path: Path) -> None:
    folder = write_mimic(tmp_path, kb=[entity("Q1", 0), entity("Q2", 1), entity("Q3", 2)])
    write_json(folder / "qid2id.json", {"Q1": 0, "Q2": 5, "Q8": 8, "Q9": 9, "nil": 10})
    counts = read_dataset(folder, "mimic").counts
    assert counts["ids_unlike_qid2id"] == 1
    assert counts["qid2id_without_entity"] == 2
    assert counts["entities_without_qid2id"] == 1
    (folder / "qid2id.json").unlink()
    assert "ids_unlike_qid2id" not in read_dataset(folder, "auto").counts


@pytest.mark.parametrize(
    ("spoilt", "message"),
    [
        (without(record("a"), "sentence"), r"row 1: key `sentence` is missing; add it"),
        (without(record("a"), "answer"), r"row 1: key `answer` is missing; add it"),
        (record(1.5), r"row 1, key `id`: must be text, found 1\.5"),
        (record(" "), r"row 1, key `id`: is empty"),
        (record("a", mentions=None), r"row 1, key `mentions`: must be text, found null; write a"),
        (record("a", 3), r"row 1, key `answer`: must be text, found 3"),
        (
            record("a", ["Q1", "Q2"], mentions=["x"], entities=[]),
            r"row 1: .* lists of equal length, found mentions 1, answer 2, entities 0",
        ),
        (record("a", ["Q1"]), r"found mentions no list, answer 1, entities no list"),
        ("text", r"LakeMEL_train\.json, row 1: must be a JSON object, found str"),
    ],
)
def test_a_bad_record(tmp_path: Path, spoilt: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_dataset(write_mimic(tmp_path, [spoilt]), "mimic")


@pytest.mark.parametrize(
    ("spoilt", "message"),
    [
        (entity("nil"), r'kb_entity\.json, row 2, key `qid`: "nil" means no entity; remove'),
        (entity("Q2", image_list="a.jpg"), r"row 2, key `image_list`: must be a list of texts"),
        (entity("Q2", attr=["x"]), r"row 2, key `attr`: must be text"),
        (
            entity("Q1", entity_name="Other"),
            r"row 2: qid 'Q1' stands already in .*row 1 with other values; keep one",
        ),
    ],
)
def test_a_bad_entity(tmp_path: Path, spoilt: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_dataset(write_mimic(tmp_path, kb=[entity("Q1"), spoilt]), "mimic")


@pytest.mark.parametrize(
    ("added", "removed", "message"),
    [
        (
            ["PondMEL_train"],
            [],
            r"splits of 2 data sets \(LakeMEL_dev.*PondMEL_train\.json\); give each",
        ),
        (
            ["LakeMEL_valid"],
            [],
            r"LakeMEL_dev\.json and LakeMEL_valid\.json for split valid; remove one",
        ),
        (
            [],
            ["LakeMEL_dev", "LakeMEL_test"],
            r"no file for valid and test: wanted .*found LakeMEL_train\.json; put",
        ),
        ([], ["kb_entity"], r"kb_entity\.json: no such file; it holds the knowledge"),
    ],
)
def test_files_too_many_or_too_few(
    tmp_path: Path, added: list[str], removed: list[str], message: str
) -> None:
    write_mimic(tmp_path)
    for name in added:
        write_json(tmp_path / f"{name}.json", [])
    for name in removed:
        (tmp_path / f"{name}.json").unlink()
    with pytest.raises(DataError, match=message):
        read_dataset(tmp_path, "auto")


def test_a_made_id_that_the_file_has_already(tmp_path: Path) -> None:
    folder = write_mimic(tmp_path, [record("a"), record("a"), record("a#1")])
    with pytest.raises(DataError, match=r"row 3: mention id 'a#1' stands already in .*row 2"):
        read_dataset(folder, "mimic")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"Q1": 0}', r"kb_entity\.json: must be one JSON list, found dict"),
        ("[", r"kb_entity\.json: not valid JSON at column 2: .*; fetch or mend"),
    ],
)
def test_a_file_of_another_form(tmp_path: Path, content: str, message: str) -> None:
    (write_mimic(tmp_path) / "kb_entity.json").write_text(content)
    with pytest.raises(DataError, match=message):
        read_dataset(tmp_path, "mimic")


def test_directories_are_listed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A look at the disk for each of 100,000 images would take minutes on a network drive."""
    kb = [entity(f"Q{n}", n, image_list=[f"Q{n}.jpg", f"Q{n}-2.jpg"]) for n in range(1, 3001)]
    folder = write_mimic(tmp_path, [record(n, imgPath=f"{n}.jpg") for n in range(3000)], kb)
    image(folder, "kb_image/Q3.jpg")
    looked_at: list[Path] = []
    stat = Path.stat

    def noted(self: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        looked_at.append(self)
        return stat(self, follow_symlinks=follow_symlinks)

    monkeypatch.setattr(Path, "stat", noted)
    start = time.perf_counter()
    counts = read_dataset(folder, "mimic").counts
    assert counts["missing_entity_images"] == 5999
    assert 0 < len(looked_at) < 100
    assert time.perf_counter() - start < 5
