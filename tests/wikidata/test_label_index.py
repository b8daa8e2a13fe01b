"""What a label index of a slice holds, and what its candidates say; the query itself is in test_query.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from mmoe.errors import WikidataError
from mmoe.records import Candidate
from mmoe.wikidata.index.build import build_from_slice
from mmoe.wikidata.label_index import ITEMS, NAMES, ONLY_PART
from mmoe.wikidata.matching import Matching
from mmoe.wikidata.query import find_in_index

from tests.wikidata.slices import item_line, mention, write_slice


def find(folder: Path, lines: list[str], *forms: str, limit: int = 50) -> list[Candidate]:
    dump = write_slice(folder / "wikidata.jsonl", *lines)
    build_from_slice(dump, ["en"], folder / "labels")
    mentions = [mention(form, f"m{row}") for row, form in enumerate(forms)]
    return find_in_index(folder / "labels", mentions, Matching(max_candidates=limit))


def test_a_candidate_holds_what_the_slice_says(tmp_path: Path) -> None:
    lines = [
        item_line("Q5", "Paris", "capital of France", ["Lutetia"], ["enwiki", "frwiki"]),
        '{"type": "item", "id": "Q6", "labels": {}, "aliases": {"en": [{"value": "lutetia"}]}}',
    ]
    assert find(tmp_path, lines, "LUTETIA", "Paris", "Lyon") == [
        Candidate("m0", 0, "Q5", "Paris", "capital of France", "alias", 2),
        Candidate("m0", 1, "Q6", "", "", "alias", None),
        Candidate("m1", 0, "Q5", "Paris", "capital of France", "label", 2),
    ]


def test_a_broken_index_is_named(tmp_path: Path) -> None:
    find(tmp_path, [item_line("Q1", "Ada", None)], "Ada")
    for file in (ITEMS, NAMES):
        (tmp_path / "labels" / file / ONLY_PART).write_bytes(b"PAR1")
    with pytest.raises(WikidataError, match="labels: can't be queried"):
        find_in_index(tmp_path / "labels", [mention("Ada")], Matching())
    with pytest.raises(
        WikidataError, match="none: no whole label index; make one with `mmoe label"
    ):
        find_in_index(tmp_path / "none", [mention("Ada")], Matching())
