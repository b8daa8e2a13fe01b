"""The authored world keeps its own rules; the sample's claims rest on them."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from tools.sample.drawing import Scene
from tools.sample.world import World, WorldEntity, read_world


@pytest.fixture(scope="module")
def world() -> World:
    return read_world()


def namesakes(world: World) -> dict[str, list[WorldEntity]]:
    found: dict[str, list[WorldEntity]] = {}
    for entity in world.entities:
        if entity.shared is not None:
            found.setdefault(entity.shared, []).append(entity)
    return found


def test_its_size(world: World) -> None:
    shared = namesakes(world)
    assert len(world.entities) >= 240
    assert len(shared) >= 60
    assert len({entity.kind for entity in world.entities}) >= 12
    assert sum(len(group) >= 3 for group in shared.values()) >= 60


def test_qids_are_unique_and_well_formed(world: World) -> None:
    qids = [item.qid for item in (*world.entities, *world.distractors)]
    assert [qid for qid, n in Counter(qids).items() if n > 1] == []
    assert [qid for qid in qids if not re.fullmatch(r"Q[1-9]\d*", qid)] == []
    kinds = [qid for item in world.entities for qid in item.instance_of]
    assert [qid for qid in kinds if not re.fullmatch(r"Q[1-9]\d*", qid)] == []


def test_every_entity_can_be_drawn(world: World) -> None:
    for entity in world.entities:
        Scene(entity.kind, entity.colour, entity.background)


def test_namesakes_differ_in_their_looks(world: World) -> None:
    for name, group in namesakes(world).items():
        looks = Counter((entity.kind, entity.colour) for entity in group)
        assert [look for look, n in looks.items() if n > 1] == [], name


def test_sentences_hold_their_words_and_none_stands_twice(world: World) -> None:
    sentences = [pair for e in world.entities for pair in (*e.text, *e.short)]
    sentences += world.strangers
    assert [pair for pair in sentences if pair[0] not in pair[1]] == []
    assert [text for text, n in Counter(text for _, text in sentences).items() if n > 1] == []
    assert {len(entity.text) for entity in world.entities} == {2}


def test_short_words_are_aliases_unlike_the_name(world: World) -> None:
    for entity in world.entities:
        for word, _ in entity.short:
            assert word in entity.aliases, entity.name
            assert entity.shared is None or entity.shared.lower() not in word.lower(), word


def test_attributes_begin_with_the_type(world: World) -> None:
    assert [e.name for e in world.entities if not e.attributes.startswith("Type: ")] == []
    assert [e.name for e in world.entities if not e.description] == []


def test_strangers_bear_shared_names(world: World) -> None:
    assert {word for word, _ in world.strangers} <= namesakes(world).keys()
