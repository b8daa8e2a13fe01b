"""The embedded sample: what the generator promises, and that the files in git are its work."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from mmoe.config.data import DataParams
from mmoe.datasets import IngestFiles, ingest, read_dataset
from mmoe.names import normalise_name
from mmoe.sample.build import build_sample
from mmoe.sample.catalogue import read_catalogue
from mmoe.sample.scenes import SCENES
from mmoe.sample.tables import Drawing, write_pictures

EMBEDDED = Path(__file__).parents[2] / "data/raw/sample"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    build_sample(folder)
    return folder


def items(folder: Path) -> list[dict[str, Any]]:
    """The lines of the slice, read as a dump is."""
    lines = (folder / "wikidata.jsonl").read_text("utf-8").splitlines()
    assert (lines[0], lines[-1]) == ("[", "]")
    assert all(line.endswith(",") for line in lines[1:-2])
    assert not lines[-2].endswith(",")
    return [json.loads(line.rstrip(",")) for line in lines[1:-1]]


def names(item: dict[str, Any]) -> set[str]:
    aliases = item["aliases"].get("en", []) if item["aliases"] else []
    labels = [label["value"] for label in item["labels"].values()]
    return {normalise_name(name) for name in (*labels, *(alias["value"] for alias in aliases))}


def test_the_embedded_files_are_the_generators(built: Path) -> None:
    made = sorted(p.relative_to(built) for p in built.rglob("*") if p.is_file())
    clip = EMBEDDED / "clip"
    kept = (p for p in EMBEDDED.rglob("*") if p.is_file() and clip not in p.parents)
    assert made == sorted(p.relative_to(EMBEDDED) for p in kept)
    for name in made:
        if name.suffix == ".png":  # another zlib may pack the same pixels differently
            with Image.open(built / name) as one, Image.open(EMBEDDED / name) as other:
                assert one.tobytes() == other.tobytes(), name
        else:
            assert (built / name).read_bytes() == (EMBEDDED / name).read_bytes(), name


def test_stale_pictures_are_removed(tmp_path: Path) -> None:
    stale = tmp_path / "mention_images/train-999.png"
    stale.parent.mkdir()
    stale.write_bytes(b"")
    wanted = Drawing("mention_images/train-001.png", "gem", "#b0123b")
    write_pictures(tmp_path, [wanted], seed=1)
    assert [file.name for file in stale.parent.iterdir()] == ["train-001.png"]


def test_nothing_stands_in_two_splits(built: Path) -> None:
    dataset = read_dataset(built, "own")
    assert max(Counter(m.context for m in dataset.mentions).values()) == 1
    files = [p.read_bytes() for p in built.rglob("*.png")]
    assert len(files) == len(set(files))


def test_every_path_is_exercised(built: Path, tmp_path: Path) -> None:
    files = IngestFiles(*(tmp_path / name for name in "abcdef"))
    counts = ingest(built, DataParams(format="auto", nil="drop", max_mentions=None), files)
    assert counts["nil"] >= 4
    assert counts["gold_outside_kb"] >= 2
    assert 0 < counts["mentions_with_picture"] < counts["mentions"]
    assert 0 < counts["entities_with_picture"] < counts["entities"]
    assert counts["missing_mention_pictures"] == counts["missing_entity_pictures"] == 0
    assert min(counts[f"mentions_{split}"] for split in ("valid", "test")) >= 25


def test_words_have_no_one_and_several_candidates(built: Path) -> None:
    bearers = Counter(name for item in items(built) for name in names(item))
    for split in ("train", "valid", "test"):
        mentions = [m for m in read_dataset(built, "own").mentions if m.split == split and m.in_kb]
        found = Counter(min(bearers[normalise_name(m.word)], 2) for m in mentions)
        assert found.keys() == {0, 1, 2}, split
        assert found[2] > len(mentions) / 3


def test_the_slice_has_the_dumps_irregularities(built: Path) -> None:
    found = items(built)
    assert any(item["type"] == "property" for item in found[1:-1])
    assert any(item["aliases"] == [] for item in found)
    assert any(item["labels"].keys() == {"mul"} for item in found)
    in_kb = {entity.qid for entity in read_catalogue().entities}
    assert in_kb - {item["id"] for item in found} == {"Q3392"}
    assert len({item["id"] for item in found}) == len(found)


def test_every_word_stands_in_its_sentence() -> None:
    catalogue = read_catalogue()
    assert all(word in text for entity in catalogue.entities for word, text in entity.contexts)
    assert {entity.kind for entity in catalogue.entities} == set(SCENES)
