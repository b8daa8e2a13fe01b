"""The label index finds what a loop over all names finds, in the same order."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmoe.errors import WikidataError
from mmoe.names import normalise_name
from mmoe.records import Candidate
from mmoe.wikidata.hits import Matching
from mmoe.wikidata.labels import ITEMS, NAMES, ONLY_PART, SOURCE, build_from_slice, read_source
from mmoe.wikidata.query import find_in_index

from tests.wikidata.slices import item_line, mention, write_slice


def find(folder: Path, lines: list[str], *words: str, limit: int = 50) -> list[Candidate]:
    dump = write_slice(folder / "wikidata.jsonl", *lines)
    build_from_slice(dump, ["en"], folder / "labels")
    mentions = [mention(word, f"m{row}") for row, word in enumerate(words)]
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


def test_label_and_alias_of_one_item_count_once_as_label(tmp_path: Path) -> None:
    lines = [item_line("Q1", "Paris", None, ["paris", "PARIS", "Lutetia"])]
    found = find(tmp_path, lines, "Paris")
    assert [(candidate.qid, candidate.match) for candidate in found] == [("Q1", "label")]


def test_names_are_compared_in_their_normal_form(tmp_path: Path) -> None:
    lines = [item_line("Q1", "Émile_Zola", None), item_line("Q2", "Emile Zola", None)]
    assert qids(find(tmp_path, lines, "E\u0301MILE  zola")) == ["Q1"]


def test_an_empty_word_and_an_empty_name_find_nothing(tmp_path: Path) -> None:
    assert find(tmp_path, [item_line("Q1", " ", None, ["_"])], "", " ", "_") == []


def oracle(items: dict[int, tuple[str, list[str], int]], word: str) -> list[tuple[str, str]]:
    """(qid, match) by looking at every name of every item."""
    found = []
    for number, (label, aliases, sitelinks) in items.items():
        if normalise_name(label) == normalise_name(word):
            found.append((0, -sitelinks, number, "label"))
        elif normalise_name(word) in map(normalise_name, aliases):
            found.append((1, -sitelinks, number, "alias"))
    return [(f"Q{number}", match) for _, _, number, match in sorted(found)]


NAMES_DRAWN = st.sampled_from(["Ada", "ada", "ADA ", "Ben", "ben_b", "Ben B", "Cy"])


@settings(max_examples=25, deadline=None)
@given(
    items=st.dictionaries(
        st.integers(1, 30),
        st.tuples(NAMES_DRAWN, st.lists(NAMES_DRAWN, max_size=3), st.integers(0, 2)),
        min_size=1,
        max_size=10,
    ),
    words=st.lists(NAMES_DRAWN, max_size=4),
    limit=st.integers(1, 4),
)
def test_the_join_equals_a_loop_over_all_names(
    items: dict[int, tuple[str, list[str], int]], words: list[str], limit: int
) -> None:
    sites = ["enwiki", "frwiki"]
    lines = [
        item_line(f"Q{number}", label, None, aliases, sites[:links])
        for number, (label, aliases, links) in items.items()
    ]
    with tempfile.TemporaryDirectory() as folder:
        found = find(Path(folder), lines, *words, limit=limit)
    for row, word in enumerate(words):
        of_word = [c for c in found if c.mention_id == f"m{row}"]
        assert [(c.qid, c.match) for c in of_word] == oracle(items, word)[:limit]
        assert [c.position for c in of_word] == list(range(len(of_word)))


def test_the_index_is_the_same_for_another_order_of_lines(tmp_path: Path) -> None:
    lines = [item_line(f"Q{n}", f"name {n % 3}", None, ["other"]) for n in range(1, 9)]
    files = []
    for name, order in (("a", lines), ("b", lines[::-1])):
        dump = write_slice(tmp_path / f"{name}.jsonl", *order)
        build_from_slice(dump, ["en"], tmp_path / name)
        files.append((tmp_path / name / NAMES / ONLY_PART).read_bytes())
    assert files[0] == files[1]


def test_an_item_that_stands_twice_is_refused(tmp_path: Path) -> None:
    line = item_line("Q1", "Ada", None)
    with pytest.raises(WikidataError, match=r"wikidata\.jsonl: item Q1 stands twice"):
        find(tmp_path, [line, line], "Ada")


def test_a_slice_without_items_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WikidataError, match=r"wikidata\.jsonl: holds no item"):
        find(tmp_path, ["[", '{"type": "property", "id": "P1"}', "]"], "Ada")


def test_items_without_any_name_make_an_index_that_finds_nothing(tmp_path: Path) -> None:
    assert find(tmp_path, ['{"type": "item", "id": "Q1"}'], "Ada") == []


def test_a_failed_build_leaves_no_index_behind(tmp_path: Path) -> None:
    find(tmp_path, [item_line("Q1", "Ada", None)], "Ada")
    with pytest.raises(WikidataError):
        find(tmp_path, ["{"], "Ada")
    with pytest.raises(WikidataError, match="no whole label index"):
        find_in_index(tmp_path / "labels", [mention("Ada")], Matching())


def test_a_broken_index_is_named(tmp_path: Path) -> None:
    find(tmp_path, [item_line("Q1", "Ada", None)], "Ada")
    for file in (ITEMS, NAMES):
        (tmp_path / "labels" / file / ONLY_PART).write_bytes(b"PAR1")
    assert (tmp_path / "labels" / SOURCE).is_file()
    with pytest.raises(WikidataError, match="labels: can't be queried"):
        find_in_index(tmp_path / "labels", [mention("Ada")], Matching())


def test_pages_of_wikipedia_are_left_out_and_counted(tmp_path: Path) -> None:
    page = json.loads(item_line("Q2", "Ada", None))
    value = {"snaktype": "value", "datavalue": {"value": {"id": "Q4167410"}}}
    page["claims"] = {"P31": [{"rank": "normal", "mainsnak": value}]}
    lines = [item_line("Q1", "Ada", None), json.dumps(page)]
    assert qids(find(tmp_path, lines, "Ada")) == ["Q1"]
    assert read_source(tmp_path / "labels")["skipped"] == {"disambiguation page": 1}
