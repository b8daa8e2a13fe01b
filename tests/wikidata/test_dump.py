"""A data set's own slice: found in its folder, and no broken line passed over."""

from __future__ import annotations

from pathlib import Path

import pytest

from mmoe.errors import WikidataError
from mmoe.wikidata.dump import find_slice, has_slice
from mmoe.wikidata.index.build import build_from_slice
from mmoe.wikidata.label_index import ITEMS, read_source

from tests.wikidata.index.dumps import table
from tests.wikidata.slices import item_line, write_slice

ADA = item_line("Q1", "Ada", "painter", ["A. T."], ["enwiki", "frwiki"])
BEN = item_line("Q22", "Ben", None)


def qids(path: Path) -> list[str]:
    build_from_slice(path, ["en"], path.parent / "index")
    found: list[str] = table(path.parent / "index", ITEMS).column("qid").to_pylist()
    return found


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (ADA[:-4], "malformed JSON"),
        (f"{ADA} {BEN}", "malformed JSON"),
        ('{"type": "item", "labels": {}}', "key `id` must be Q and a number, found None"),
        ('{"type": "item", "id": "Q7", "labels": ["a"]}', "item Q7, key `labels`: must be an obj"),
    ],
)
def test_a_broken_line_is_named_and_mended_in_place(
    tmp_path: Path, line: str, complaint: str
) -> None:
    path = write_slice(tmp_path / "s.jsonl", "[", f"{BEN},", f"{ADA},", line)
    with pytest.raises(WikidataError, match=rf"{tmp_path}/s\.jsonl, line 4.*{complaint}"):
        qids(path)
    with pytest.raises(WikidataError, match="no whole label index"):
        read_source(tmp_path / "index")
    assert qids(write_slice(path, BEN, ADA)) == ["Q1", "Q22"]


def test_an_item_twice_or_none_at_all_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WikidataError, match=r"s\.jsonl: 1 lines hold an item that stands in an"):
        qids(write_slice(tmp_path / "s.jsonl", ADA, BEN, ADA))
    with pytest.raises(WikidataError, match=r"s\.jsonl: no item is kept \(1 property\)"):
        qids(write_slice(tmp_path / "s.jsonl", '{"type": "property", "id": "P1"}'))


def test_one_slice_must_be_there(tmp_path: Path) -> None:
    assert not has_slice(tmp_path)
    with pytest.raises(WikidataError, match=r"no wikidata\.jsonl .*retrieve\.source .*kb or"):
        find_slice(tmp_path)
    path = write_slice(tmp_path / "wikidata.jsonl", ADA)
    assert find_slice(tmp_path) == path
    write_slice(tmp_path / "wikidata.jsonl.gz", ADA)
    with pytest.raises(WikidataError, match="keep one"):
        find_slice(tmp_path)
