"""Ingest: policies, counts, and the files that the later stages read."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmoe.datasets import IngestFiles, ingest
from mmoe.datasets.ingest import Selection, select_mentions, split_by_entity
from mmoe.errors import DataError
from mmoe.files import read_sealed_json
from mmoe.records import SPLITS, Entity, ImageInput, Mention, TextInput, read_metadata, read_records

from tests.datasets.folders import image, mention, three_mentions, two_entities, write_own

LIMIT = 1_000_000


def params(nil: Literal["drop", "keep"] = "drop", max_mentions: int | None = None) -> Selection:
    return Selection("auto", "given", nil, max_mentions)


def files_below(folder: Path) -> IngestFiles:
    return IngestFiles(
        mentions=folder / "mentions.parquet",
        entities=folder / "entities.parquet",
        images=folder / "images.parquet",
        mention_image=folder / "inputs/mention_image.parquet",
        mention_context=folder / "inputs/mention_context.parquet",
        entity_text=folder / "inputs/entity_text.parquet",
        entity_image=folder / "inputs/entity_image.parquet",
        counts=folder / "ingest.json",
        journal=folder / "work/images.jsonl",
    )


def test_what_is_written(tmp_path: Path) -> None:
    raw, files = tmp_path / "raw", files_below(tmp_path / "out")
    image(raw, "a.png", b"alpha")
    image(raw, "b.png", b"beta")
    entities = two_entities()
    entities[0]["images"] = ["gone.png", "b.png", "a.png"]
    write_own(raw, [mention("m1", image="a.png"), *three_mentions()[1:]], entities)
    counts = ingest(raw, params(), LIMIT, files)
    digest = {name: hashlib.sha256(name.encode()).hexdigest() for name in ("alpha", "beta")}
    assert read_records(files.mention_image, ImageInput) == [
        ImageInput("m1", "a.png", digest["alpha"]),
        ImageInput("m2", None, None),
        ImageInput("m3", None, None),
    ]
    assert read_records(files.entity_image, ImageInput) == [
        ImageInput("Q3757", "b.png", digest["beta"]),
        ImageInput("Q251", None, None),
    ]
    assert read_records(files.entity_text, TextInput)[1] == TextInput("Q251", "Java", "code", None)
    assert [e.qid for e in read_records(files.entities, Entity)] == ["Q3757", "Q251"]
    assert len(read_records(files.mentions, Mention)) == 3
    assert set(read_metadata(files.mentions)["sources"]) == {"mentions.jsonl", "entities.jsonl"}
    assert read_sealed_json(files.counts) == {"format": "own"} | counts
    assert (counts["mentions_with_image"], counts["entities_with_image"]) == (1, 1)
    assert counts["missing_entity_images"] == 1


@pytest.mark.parametrize(("nil", "left"), [("drop", 3), ("keep", 5)])
def test_nil_policy(tmp_path: Path, nil: Literal["drop", "keep"], left: int) -> None:
    extra = [mention("m8", gold_qid=None), mention("m9", gold_qid="Q404")]
    files = files_below(tmp_path / "out")
    counts = ingest(
        write_own(tmp_path / "raw", [*extra, *three_mentions()]), params(nil), LIMIT, files
    )
    assert (counts["nil"], counts["gold_outside_kb"], counts["mentions_read"]) == (1, 1, 5)
    assert (counts["mentions"], counts["mentions_in_kb"]) == (left, 3)
    assert len(read_records(files.mentions, Mention)) == left


def slow_selection(mentions: list[Mention], nil: str, limit: int | None) -> set[str]:
    left = [m for m in mentions if nil == "keep" or m.in_kb]
    per_split = [[m.mention_id for m in left if m.split == split][:limit] for split in SPLITS]
    return {name for names in per_split for name in names}


@given(
    rows=st.lists(st.tuples(st.booleans(), st.sampled_from(SPLITS)), max_size=20),
    nil=st.sampled_from(["drop", "keep"]),
    limit=st.none() | st.integers(1, 5),
)
def test_selection(
    rows: list[tuple[bool, str]], nil: Literal["drop", "keep"], limit: int | None
) -> None:
    mentions = [
        Mention(str(i), str(i), "w", "c", None, "Q1", in_kb, split)
        for i, (in_kb, split) in enumerate(rows)
    ]
    selected = [m.mention_id for m in select_mentions(mentions, params(nil, limit))]
    assert set(selected) == slow_selection(mentions, nil, limit)
    assert selected == sorted(selected, key=int)


@pytest.mark.parametrize("split", SPLITS)
def test_an_empty_split(tmp_path: Path, split: str) -> None:
    rows = [row for row in three_mentions() if row["split"] != split]
    with pytest.raises(DataError, match=rf"split {split} is empty: of the 0 .*assign mentions"):
        ingest(write_own(tmp_path / "raw", rows), params(), LIMIT, files_below(tmp_path / "out"))


def test_a_split_of_nil_mentions_is_empty_too(tmp_path: Path) -> None:
    rows = [*three_mentions()[:2], mention("m3", "test", gold_qid="nil")]
    with pytest.raises(DataError, match=r"split test is empty: of the 1 .*check its gold qids"):
        ingest(
            write_own(tmp_path / "raw", rows), params("keep"), LIMIT, files_below(tmp_path / "out")
        )
    assert not (tmp_path / "out").exists()


@given(rows=st.lists(st.tuples(st.integers(0, 30), st.sampled_from(SPLITS)), max_size=60))
def test_split_by_entity(rows: list[tuple[int, str]]) -> None:
    mentions = [
        Mention(str(i), str(i), "w", "c", None, f"Q{gold}" if gold else None, True, split)
        for i, (gold, split) in enumerate(rows)
    ]
    anew = split_by_entity(mentions)
    splits_of: dict[str, set[str]] = {}
    for before, after in zip(mentions, anew, strict=True):
        assert after.mention_id == before.mention_id
        if after.gold_qid is None:
            assert after == before
        else:
            splits_of.setdefault(after.gold_qid, set()).add(after.split)
    assert all(len(splits) == 1 for splits in splits_of.values())
    assert {m.split for m in anew} <= {m.split for m in mentions}


def test_split_by_entity_keeps_the_shares() -> None:
    splits = ["train"] * 700 + ["valid"] * 100 + ["test"] * 200
    mentions = [
        Mention(str(i), str(i), "w", "c", None, f"Q{i}", True, split)
        for i, split in enumerate(splits)
    ]
    found = Counter(mention.split for mention in split_by_entity(mentions))
    assert abs(found["train"] - 700) < 50
    assert abs(found["test"] - 200) < 45
