"""FissFuse's format: what is read of each oddity, what is counted, and what is refused."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import h5py
import pytest

from mmoe.datasets import read_dataset
from mmoe.errors import DataError
from mmoe.images import ImageError, load_image, read_image

from tests.datasets.fissfuse_folder import (
    line,
    png,
    stored,
    write_archive,
    write_fissfuse,
    write_odd_fissfuse,
)
from tests.datasets.mimic_folder import without


def test_images_are_members_of_the_hdf5_file(tmp_path: Path) -> None:
    dataset = read_dataset(write_odd_fissfuse(tmp_path), "fissfuse")
    zoe, full = (f"lake_image.h5::mention_image/{key}" for key in ("Zoë", "full.name"))
    assert [m.image for m in dataset.mentions[:5]] == [zoe, zoe, None, None, full]
    assert [e.images for e in dataset.entities] == [("lake_image.h5::entity_image/Q1",), ()]
    assert read_image(tmp_path, zoe) == png()


def test_the_gold_entity(tmp_path: Path) -> None:
    dataset = read_dataset(write_odd_fissfuse(tmp_path), "fissfuse")
    assert [m.gold_qid for m in dataset.mentions[:5]] == ["Q1", None, "Q9", "Q2", "Q1"]
    assert [m.in_kb for m in dataset.mentions[:5]] == [True, False, False, True, True]


def test_everything_odd_is_counted(tmp_path: Path) -> None:
    counts = read_dataset(write_odd_fissfuse(tmp_path), "fissfuse").counts
    assert {key: number for key, number in counts.items() if number} == {
        "missing_mention_images": 1,
        "answer_is_not_first_candidate": 1,
        "repeated_entities": 1,
        "entities_named_by_qid": 1,
        "percent_encoded_surface_forms": 1,
        "surface_forms_not_in_sentence": 1,
        "ignored_key.mentions.topic": 1,
    }


def test_a_damaged_archive_is_no_traceback(tmp_path: Path) -> None:
    """Of some hundred flips in an HDF5 file every third struck what its library notices while it lists."""
    folder, rng = write_odd_fissfuse(tmp_path), random.Random(3)  # noqa: S311
    archive = folder / "lake_image.h5"
    whole, refused = archive.read_bytes(), 0
    for _ in range(200):
        content = bytearray(whole)
        for _ in range(rng.choice([1, 3, 20])):
            content[rng.randrange(len(content))] ^= rng.randrange(1, 256)
        archive.write_bytes(bytes(content))
        try:
            for mention in read_dataset(folder, "fissfuse").mentions:
                if mention.image is not None:
                    load_image(folder, mention.image, 10**8)
        except (DataError, ImageError):
            refused += 1
    assert 20 < refused < 180


def test_no_candidate_is_nil(tmp_path: Path) -> None:
    row = without(line("a", candidates=[]), "answer")
    assert read_dataset(write_fissfuse(tmp_path, [row]), "auto").mentions[0].gold_qid is None


@pytest.mark.parametrize("name", ["image.h5py", "IMAGE.HDF5", "image.h5"])
def test_the_file_of_images_by_its_ending(tmp_path: Path, name: str) -> None:
    (write_fissfuse(tmp_path) / "lake_image.h5").unlink()
    write_archive(tmp_path / name, {"entity_image/Q1": stored(png())})
    (image,) = read_dataset(tmp_path, "auto").entities[0].images
    assert image == f"{name}::entity_image/Q1"
    assert read_image(tmp_path, image) == png()


@pytest.mark.parametrize(
    ("spoilt", "message"),
    [
        (without(line("a"), "mention_id"), r"row 1: key `mention_id` is missing"),
        (without(line("a"), "answer"), r"row 1: keys `answer` and `candidates` are missing; add"),
        (line("a", candidates="Q1"), r"row 1, key `candidates`: must be a list of texts"),
        (line("a", imgPath=1), r"row 1, key `imgPath`: must be text, found 1"),
    ],
)
def test_a_bad_row(tmp_path: Path, spoilt: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=rf"LAKE_train\.jsonl, {message}"):
        read_dataset(write_fissfuse(tmp_path, [spoilt]), "fissfuse")


def test_one_file_of_images_is_wanted(tmp_path: Path) -> None:
    write_archive(write_fissfuse(tmp_path) / "more.h5", {})
    with pytest.raises(DataError, match=r"found lake_image\.h5, more\.h5; leave exactly one"):
        read_dataset(tmp_path, "auto")
    for name in ("lake_image.h5", "more.h5"):
        (tmp_path / name).unlink()
    with pytest.raises(DataError, match=r"wanted one HDF5 file of images .* found none; leave"):
        read_dataset(tmp_path, "auto")


def test_a_file_of_images_that_is_not_whole(tmp_path: Path) -> None:
    path = write_odd_fissfuse(tmp_path) / "lake_image.h5"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(DataError, match=r"lake_image\.h5: no whole HDF5 file \(.*\); fetch it"):
        read_dataset(tmp_path, "auto")


def test_a_group_by_another_name(tmp_path: Path) -> None:
    with h5py.File(write_fissfuse(tmp_path) / "lake_image.h5", "w") as file:
        file.create_group("entity_image")
        file.create_group("mentions")
        file["loose"] = 1
    with pytest.raises(
        DataError, match=r"no group mention_image, found entity_image, mentions; name the groups so"
    ):
        read_dataset(tmp_path, "auto")
