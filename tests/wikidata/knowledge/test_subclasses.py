"""Kinds with their subclasses: those of the obvious way, through circles too."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmoe.errors import WikidataError
from mmoe.wikidata.knowledge.build import build_from_dump, with_subclasses
from mmoe.wikidata.knowledge.request import Choice, KbRequest

from tests.wikidata.knowledge.world import CLASSES, classes, entity, qids, write_dump

CITIES = Choice(kinds=frozenset({"Q515"}), with_subclasses=True)
BROKEN = (
    '{"type":"item","id":"Q26","claims":{"P279":',
    json.dumps(entity("Q27", "x") | {"claims": {"P279": {"no": "list"}}}),
    classes("Q28", {"id": "P1"}),
    '["P279"]',
)


def test_items_of_subclasses_are_taken(tmp_path: Path) -> None:
    dump = write_dump(tmp_path / "dump.json", *CLASSES)
    counts = build_from_dump(str(dump), tmp_path / "kb", KbRequest(CITIES))
    assert qids(tmp_path / "kb") == ["Q900002", "Q900004", "Q900011"]
    assert counts["kinds with their subclasses"] == 3
    assert "items whose classes can't be read" not in counts
    receipt = json.loads((tmp_path / "kb" / "kb.json").read_text("utf-8"))
    assert receipt["counts"] == counts
    assert (receipt["choice"]["kinds"], receipt["choice"]["with_subclasses"]) == (["Q515"], True)
    build_from_dump(str(dump), tmp_path / "kb", KbRequest(Choice(kinds=CITIES.kinds)))
    assert len(qids(tmp_path / "kb")) == 2


def test_items_whose_classes_can_not_be_read_are_counted(tmp_path: Path) -> None:
    dump = str(write_dump(tmp_path / "dump.json", *CLASSES, *BROKEN))
    counts = build_from_dump(dump, tmp_path / "kb", KbRequest(CITIES))
    assert counts["entities"] == counts["kinds with their subclasses"] == 3
    assert counts["items whose classes can't be read"] == 2
    nothing = Choice(kinds=frozenset({"Q404"}), with_subclasses=True)
    with pytest.raises(WikidataError, match=r"no item is chosen \(.*1 kinds with their"):
        build_from_dump(dump, tmp_path / "none", KbRequest(nothing))


def closed_slowly(kinds: set[str], pairs: list[tuple[int, int]]) -> set[str]:
    """The obvious way: until nothing is new."""
    found = set(kinds)
    for _ in pairs:
        found |= {f"Q{below}" for below, above in pairs if f"Q{above}" in found}
    return found


NUMBERS = st.integers(1, 9)


@given(
    pairs=st.lists(st.tuples(NUMBERS, NUMBERS), max_size=24),
    kinds=st.sets(NUMBERS.map(lambda number: f"Q{number}"), min_size=1, max_size=3),
)
def test_the_closure_is_that_of_the_obvious_way(
    pairs: list[tuple[int, int]], kinds: set[str]
) -> None:
    lines = (classes(f"Q{below}", f"Q{above}").encode() for below, above in pairs)
    found, num_unread = with_subclasses(lines, kinds)
    assert (set(found), num_unread) == (closed_slowly(kinds, pairs), 0)
