"""All properties of an item, in its own order: those that say something to a reader."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mmoe.wikidata.knowledge.build import build_from_dump
from mmoe.wikidata.knowledge.properties import DEFAULT_PROPERTIES, HOUSEKEEPING, readable_properties
from mmoe.wikidata.knowledge.request import Choice, KbRequest

from tests.wikidata.knowledge.test_command import run
from tests.wikidata.knowledge.world import (
    entity,
    item_value,
    line,
    rows,
    statement,
    typed,
    unknown,
    write_dump,
)

NOTHING_TO_A_READER = (
    "external-id commonsMedia url globe-coordinate math geo-shape tabular-data musical-notation "
    "wikibase-property wikibase-lexeme to-come"
)
BET = {
    "P1449": [
        typed({"text": nickname, "language": code}, "monolingualtext")
        for nickname, code in (("Biene", "de"), ("Bee", "en"))
    ],
    "P373": [typed("Bet", "string")],
    "P214": [typed("1234", "external-id")],
    "P31": [typed(item_value("Q5"), "wikibase-item")],
    "P18": [typed("Bet.jpg", "commonsMedia")],
    "P2048": [typed({"amount": "+2", "unit": "1"}, "quantity")],
    "P625": [{"latitude": 1.5, "longitude": 2.5}],
    "P569": [unknown()],
}
ALL = KbRequest(Choice(qids=frozenset({"Q900009"})), properties=None)


def stated(claims: dict[str, list[Any]]) -> list[str]:
    return readable_properties(entity("Q1", "Bet", claims=claims), "here")


def test_the_items_own_order_counts() -> None:
    assert stated(BET) == ["P1449", "P31", "P2048", "P625", "P569"]
    assert stated(dict(reversed(BET.items()))) == ["P569", "P625", "P2048", "P31", "P1449"]
    assert readable_properties({"claims": []}, "here") == []


@pytest.mark.parametrize("datatype", NOTHING_TO_A_READER.split())
def test_data_types_that_say_nothing(datatype: str) -> None:
    assert stated({"P1": [typed("x", datatype)], "P2": [statement("x")]}) == ["P2"]


def test_housekeeping_is_for_those_who_name_it() -> None:
    claims = {"P373": [typed("Bet", "string")], "P31": BET["P31"], "P910": [item_value("Q9")]}
    assert stated(claims) == ["P31"]
    content = entity("Q1", "Bet", claims=claims)
    named = KbRequest(Choice(), properties=("P910", "P373", "P106"))
    assert named.properties_of(content, "here") == ["P910", "P373", "P106"]
    assert not HOUSEKEEPING.keys() & DEFAULT_PROPERTIES.keys()


def test_attributes_of_all_properties_but_some(tmp_path: Path) -> None:
    more = (line("Q900009", "Bet", claims=BET), line("P1449", "nickname"), line("P625", "place"))
    dump = write_dump(tmp_path / "dump.json", *more)
    counts = build_from_dump(str(dump), tmp_path / "all", ALL)
    (row,) = rows(tmp_path / "all" / "entities.jsonl")
    assert row["attributes"] == "Nickname: Bee. Instance of: human. Height: 2."
    assert counts["values without text: of a kind that has no text"] == 1
    assert counts["values without text: in another language"] == 1
    out, (ids,) = tmp_path / "some", [tmp_path / "ids"]
    ids.write_text("Q900009\n")
    assert run(dump, out, "--qids", ids, "--properties", "all") == 0
    assert rows(out / "entities.jsonl") == [row]
    options = ("--qids", ids, "--replace", "--without-properties", "P31, P625")
    assert run(dump, out, *options, "--properties", "all") == 0
    assert rows(out / "entities.jsonl")[0]["attributes"] == "Nickname: Bee. Height: 2."
    receipt = json.loads((out / "kb.json").read_text("utf-8"))
    assert (receipt["properties"], receipt["without_properties"]) == ("all", ["P31", "P625"])
    assert run(dump, out, *options) == 0
    assert rows(out / "entities.jsonl")[0]["attributes"] == ""
    receipt = json.loads((out / "kb.json").read_text("utf-8"))
    assert receipt["properties"] == list(DEFAULT_PROPERTIES)
