"""The sample's slice states the authored facts, and gives its knowledge base to whoever asks for it."""

from __future__ import annotations

import json
import shlex
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmoe.cli import main
from mmoe.wikidata.knowledge.drafts import Draft, Value, attributes_of, read_value
from tools.sample.facts import facts_of, label_of, own_properties
from tools.sample.knowledge import knowledge_base
from tools.sample.wikidata import write_slice
from tools.sample.world import World, read_world

from tests.imports import ROOT

SAMPLE = ROOT / "data" / "raw" / "sample"
ENTITIES = SAMPLE / "entities.jsonl"


@pytest.fixture(scope="module")
def world() -> World:
    return read_world()


@pytest.fixture(scope="module")
def entries() -> list[dict[str, Any]]:
    lines = (SAMPLE / "wikidata.jsonl").read_text("utf-8").splitlines()[1:-1]
    return [json.loads(line.removesuffix(",")) for line in lines]


def known(file: Path) -> list[tuple[str, str, str]]:
    rows = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    return [(row["qid"], row["name"], row["attributes"]) for row in rows]


def rebuilt(facts: list[tuple[str, str]]) -> str:
    """What the builder of knowledge bases makes of facts."""
    own = {key: f"P{number}" for number, (key, _) in enumerate(facts)}
    found: dict[str, tuple[Value, ...]] = {
        own[key]: (read_value(value, ()),) for key, value in facts
    }
    labels = {prop: label_of(key) for key, prop in own.items()}
    return attributes_of(Draft("Q1", "x", None, None, None, found), labels, Counter())


def test_every_line_of_the_world_can_be_taken_apart_and_put_together(world: World) -> None:
    for entity in world.entities:
        facts = facts_of(entity.attributes)
        assert facts[0][0] == "Type"
        assert rebuilt(facts) == entity.attributes


@pytest.mark.parametrize(
    ("attributes", "facts"),
    [
        ("Type: planet.", [("Type", "planet")]),
        ("Donor: John D. Rockefeller. Founded: 1890.", "Donor|John D. Rockefeller|Founded|1890"),
        ("Born: 1984, East St. Louis. Sport: golf.", "Born|1984, East St. Louis|Sport|golf"),
        ("Song: Again: part 1.5. Maker: Inc.", "Song|Again: part 1.5|Maker|Inc"),
        ("Work: a. lower: b. Head of state: c.", "Work|a. lower: b|Head of state|c"),
    ],
)
def test_values_may_hold_full_stops_and_colons(
    attributes: str, facts: list[tuple[str, str]] | str
) -> None:
    if isinstance(facts, str):
        parts = facts.split("|")
        facts = list(zip(parts[::2], parts[1::2], strict=True))
    assert facts_of(attributes) == facts


@pytest.mark.parametrize(
    "attributes",
    [
        "",
        ".",
        "planet.",
        "Type: planet",
        "Type: .",
        "type: planet.",
        "Type: a..",
        "Type: a  b.",
        "Type: a. Type: b.",
        "Type: a. Moon: . Sun: b.",
    ],
)
def test_a_line_that_could_not_be_put_together_is_refused(attributes: str) -> None:
    with pytest.raises(ValueError, match="must be like 'Type: planet"):
        facts_of(attributes)


@given(st.lists(st.sampled_from(["A", "B c", "d", ". ", ".", ": ", ":", " ", "7"])).map("".join))
def test_a_line_is_refused_or_put_together_as_it_was(attributes: str) -> None:
    try:
        facts = facts_of(attributes)
    except ValueError:
        return
    assert rebuilt(facts) == attributes


def test_properties_are_numbered_by_first_occurrence() -> None:
    lines = ["Type: a. Moons: none.", "Type: b. Head of state: c. Moons: 2."]
    assert own_properties(lines) == {
        "Type": "P900001",
        "Moons": "P900002",
        "Head of state": "P900003",
    }
    assert [label_of(key) for key in ("Head of state", "İzmir", "7 seas")] == [
        "head of state",
        "İzmir",
        "7 seas",
    ]


def test_the_slice_in_git_is_what_the_world_gives(tmp_path: Path, world: World) -> None:
    counts = write_slice(tmp_path / "wikidata.jsonl", world)
    assert (tmp_path / "wikidata.jsonl").read_bytes() == (SAMPLE / "wikidata.jsonl").read_bytes()
    assert counts == {"wikidata_items": 322, "own_properties": 283}


def test_the_slice_states_every_fact_under_a_property_that_it_holds(
    world: World, entries: list[dict[str, Any]]
) -> None:
    items = {entry["id"]: entry for entry in entries if entry["type"] == "item"}
    labels = {
        entry["id"]: entry["labels"]["en"]["value"]
        for entry in entries
        if entry["type"] == "property"
    }
    assert labels["P31"] == "instance of"
    assert len(items) + len(labels) == len(entries)
    for entity in world.entities:
        claims = dict(items[entity.qid]["claims"])
        kinds = [s["mainsnak"]["datavalue"]["value"]["id"] for s in claims.pop("P31", [])]
        assert kinds == list(entity.instance_of)
        stated = [
            (labels[prop], one["mainsnak"]["datavalue"]["value"]) for prop, (one,) in claims.items()
        ]
        assert stated == [(label_of(key), value) for key, value in facts_of(entity.attributes)]
        assert all(int(prop[1:]) > 900_000 for prop in claims)


def test_properties_stand_among_the_items(entries: list[dict[str, Any]]) -> None:
    kinds = [entry["type"] for entry in entries]
    for start in range(0, len(kinds), 20):
        assert {*kinds[start : start + 20]} == {"item", "property"}


def test_the_knowledge_base_says_what_was_authored(world: World) -> None:
    rows = knowledge_base(SAMPLE / "wikidata.jsonl", world)
    authored = [(entity.qid, entity.name, entity.attributes) for entity in world.entities]
    assert [(row["qid"], row["name"], row["attributes"]) for row in rows] == authored
    assert known(ENTITIES) == authored


def test_the_command_of_the_card_gives_the_same_names_and_attributes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = (SAMPLE / "README.md").read_text("utf-8")
    (block,) = card.split("```console\n")[1:]
    command = block.partition("```")[0].replace("\\\n", "")
    prompt, program, *words = shlex.split(command)
    assert (prompt, program, words[:2], words[3]) == ("$", "mmoe", ["kb", "build"], "kb")
    words[3] = str(tmp_path / "kb")
    monkeypatch.chdir(ROOT)
    assert main(words) == 0
    assert known(tmp_path / "kb" / "entities.jsonl") == known(ENTITIES)
