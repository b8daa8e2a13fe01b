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


def qids(candidates: list[Candidate]) -> list[str]:
    return [candidate.qid for candidate in candidates]


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


def test_labels_then_sitelinks_then_small_numbers(tmp_path: Path) -> None:
    lines = [
        item_line("Q10", "Paris", None),
        item_line("Q9", "Paris", None),
        item_line("Q8", "Lutetia", None, ["Paris"], ["enwiki", "frwiki", "dewiki"]),
        item_line("Q7", "Paris", None, sitelinks=["enwiki"]),
        '{"type": "item", "id": "Q1", "labels": {"en": {"value": "Paris"}}}',
    ]
    assert qids(find(tmp_path, lines, "Paris")) == ["Q7", "Q9", "Q10", "Q1", "Q8"]
    assert qids(find(tmp_path, lines, "Paris", limit=2)) == ["Q7", "Q9"]


def test_names_are_compared_in_their_normal_form_and_count_once(tmp_path: Path) -> None:
    lines = [item_line("Q1", "Émile_Zola", None, ["émile zola"]), item_line("Q2", "Emile Zola")]
    (found,) = find(tmp_path, lines, "E\u0301MILE  zola")
    assert (found.qid, found.match) == ("Q1", "label")
    lines = [item_line("Q1", " ", None, ["_"]), item_line("Q2", "Ben")]
    assert find(tmp_path, lines, "", " ", "_") == []


def test_the_index_is_the_same_for_another_order_of_lines(tmp_path: Path) -> None:
    lines = [item_line(f"Q{n}", f"name {n % 3}", None, ["other"]) for n in range(1, 9)]
    files = []
    for name, order in (("a", lines), ("b", lines[::-1])):
        dump = write_slice(tmp_path / f"{name}.jsonl", *order)
        build_from_slice(dump, ["en"], tmp_path / name)
        files.append((tmp_path / name / NAMES / ONLY_PART).read_bytes())
    assert files[0] == files[1]


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
