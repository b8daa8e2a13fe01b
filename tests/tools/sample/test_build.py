"""The sample as it is written: sizes, shares, no leaks, and the same bytes again."""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from mmoe.audit.leakage import find_leaks
from mmoe.datasets.fingerprints import fingerprint_images
from mmoe.datasets.registry import read_dataset
from mmoe.descriptions import group_candidates, rank_mentions
from mmoe.wikidata.index.build import build_from_slice
from mmoe.wikidata.matching import Matching
from mmoe.wikidata.query import find_in_index
from tools.sample import build
from tools.sample.card import CARD
from tools.sample.knowledge import knowledge_base
from tools.sample.mentions import SHOWN, plan_mentions
from tools.sample.tables import entity_rows, mention_rows
from tools.sample.world import World, read_world

from tests.imports import ROOT

pytestmark = pytest.mark.generator

SAMPLE = ROOT / "data/raw/sample"
MEGABYTE = 1_000_000


@pytest.fixture(scope="module")
def world() -> World:
    return read_world()


def rows(name: str) -> list[dict[str, Any]]:
    lines = (SAMPLE / name).read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


def imaged() -> set[str]:
    return {row["qid"] for row in rows("entities.jsonl") if row["images"]}


def test_the_sample_in_git_is_what_the_world_gives(world: World) -> None:
    """Its images are drawn again in part only: all of them take seconds."""
    known = knowledge_base(SAMPLE / "wikidata.jsonl", world)
    entities, more = entity_rows(world, known, build.SEED)
    mentions, drawings = mention_rows(world, imaged(), build.SEED)
    assert rows("mentions.jsonl") == mentions
    assert rows("entities.jsonl") == entities
    on_disk = {path.relative_to(SAMPLE).as_posix() for path in SAMPLE.glob("*_images/*")}
    assert on_disk == {drawing.file for drawing in (*drawings, *more)}


def small(world: World) -> World:
    return World(
        tuple(replace(e, text=e.text[:1]) for e in world.entities[:8]),
        world.distractors[:14],
        world.strangers[:3],
    )


def digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
    }


def test_building_again_gives_the_same_bytes(
    tmp_path: Path, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "read_world", lambda: small(world))
    counts = build.build_sample(tmp_path / "one")
    stale = tmp_path / "two" / "mention_images" / "old.png"
    stale.parent.mkdir(parents=True)
    stale.write_bytes(b"old")
    assert build.build_sample(tmp_path / "two") == counts
    assert digests(tmp_path / "one") == digests(tmp_path / "two")


def test_the_first_images_in_git_are_those_that_are_drawn(
    tmp_path: Path, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pixels, not bytes: another Pillow may compress otherwise."""
    from tools.sample import tables

    _, drawings = mention_rows(world, imaged(), build.SEED)
    tables.write_images(tmp_path, drawings[:20], build.SEED)
    for drawing in drawings[:20]:
        with Image.open(tmp_path / drawing.file) as new, Image.open(SAMPLE / drawing.file) as old:
            assert new.convert("RGB").tobytes() == old.convert("RGB").tobytes(), drawing.file


def test_sizes_and_shares() -> None:
    mentions, entities = rows("mentions.jsonl"), rows("entities.jsonl")
    assert len(mentions) >= 900
    families = Counter(mention["evidence"] for mention in mentions)
    assert min(families[evidence] for evidence in ("text", "image", "description")) >= 200
    assert 0.12 <= sum(m["image"] is None for m in mentions) / len(mentions) <= 0.18
    assert 0.22 <= sum(not e["images"] for e in entities) / len(entities) <= 0.28
    assert sum(mention["gold_qid"] is None for mention in mentions) >= 10
    splits = Counter(mention["split"] for mention in mentions)
    assert splits["train"] > splits["test"] > splits["valid"] > 100


def test_it_is_small_enough_for_git() -> None:
    images = sum(path.stat().st_size for path in SAMPLE.glob("*_images/*"))
    clip = sum(path.stat().st_size for path in (SAMPLE / "clip").iterdir())
    everything = sum(path.stat().st_size for path in SAMPLE.rglob("*") if path.is_file())
    assert images <= 4.5 * MEGABYTE
    assert clip <= 4.5 * MEGABYTE
    assert everything <= 10 * MEGABYTE


def test_nothing_leaks(tmp_path: Path) -> None:
    """By the audit's own measure, looks included; gold entities recur, as the split is by mention."""
    data = read_dataset(SAMPLE, "auto")
    listed = {m.image for m in data.mentions if m.image is not None}
    listed |= {name for entity in data.entities for name in entity.images}
    images = fingerprint_images(SAMPLE, listed, 10**6, tmp_path / "journal")
    assert [image.image for image in images if image.problem is not None] == []
    assert len({image.sha256 for image in images}) == len(images)
    leaks = find_leaks(data.mentions, data.entities, images, 4)
    backdrops = {m.mention_id for m in data.mentions if m.evidence == "description"}
    assert [leak for leak in leaks if not leak.is_clean and leak.mention_id not in backdrops] == []
    assert len({mention.context for mention in data.mentions}) == len(data.mentions)


def test_the_image_family_says_nothing(world: World) -> None:
    lots = random.Random(1)  # noqa: S311 - mentions are no secret
    planned = [m for m in plan_mentions(world, imaged(), lots) if m.evidence == "image"]
    said = {template.format(word="") for template in SHOWN}
    assert all(mention.look is not None for mention in planned)
    assert {mention.gold_qid for mention in planned} <= imaged()
    assert {mention.context.replace(mention.surface_form, "") for mention in planned} <= said


def test_the_lexical_ranker_finds_nothing_to_go_by_where_only_the_image_tells(
    tmp_path: Path,
) -> None:
    data = read_dataset(SAMPLE, "auto")
    shown = [mention for mention in data.mentions if mention.evidence == "image"]
    build_from_slice(SAMPLE / "wikidata.jsonl", ["en"], tmp_path)
    candidates = group_candidates(shown, find_in_index(tmp_path, shown, Matching("tokens")))
    several = [mention for mention in shown if len(candidates[mention.mention_id]) > 1]
    # Some: a word finds one candidate by its label and another by an alias that its label lacks.
    described = [d for d in rank_mentions("lexical", several, candidates) if d.description]
    assert len(several) > 0.8 * len(shown)
    assert len(described) < 0.2 * len(several)


def test_the_card_in_git_is_the_one_that_is_built(world: World) -> None:
    """But for the counts, which are those of the files."""
    card = (SAMPLE / "README.md").read_text("utf-8")
    for name in ("mentions.jsonl", "entities.jsonl"):
        assert str(len(rows(name))) in card
    parts = re.split(r"\{\w+\}", CARD.read_text("utf-8"))
    assert re.fullmatch(r"\d+".join(map(re.escape, parts)), card)
