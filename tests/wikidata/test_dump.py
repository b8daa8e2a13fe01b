"""A reader of dump slices survives what the dump holds and names what it should not hold."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from mmoe.errors import WikidataError
from mmoe.wikidata.dump import read_items
from mmoe.wikidata.entity import Item, Name

from tests.wikidata.slices import item_line, write_slice


def known(
    qid: str,
    label: str | None,
    description: str | None,
    aliases: Sequence[str] = (),
    sitelinks: int | None = None,
    language: str = "en",
) -> Item:
    """An item whose names all stand in one language."""
    labels = [] if label is None else [Name(label, "label", language)]
    names = (*labels, *(Name(alias, "alias", language) for alias in aliases))
    return Item(qid, label, description, names, sitelinks=sitelinks)


ADA = item_line("Q1", "Ada", "painter", ["A. T.", "Ada T."], ["enwiki", "frwiki"])
BEN = item_line("Q22", "Ben", None)


def read(path: Path, language: str = "en") -> list[Item]:
    return list(read_items(path, [language]))


def test_an_item_is_read_whole(tmp_path: Path) -> None:
    path = write_slice(tmp_path / "s.jsonl", ADA)
    assert read(path) == [known("Q1", "Ada", "painter", ("A. T.", "Ada T."), 2)]


@pytest.mark.parametrize(
    "lines",
    [
        (ADA, BEN),
        ("[", f"{ADA},", BEN, "]"),
        ("[", f"{ADA},", "", f"  {BEN},  ", "]", ""),
        (ADA, '{"type":"property","id":"P31","labels":{}},', '{"type":"lexeme","id":"L9"}', BEN),
        (f"\ufeff{ADA}", f"{BEN},\r"),
    ],
)
def test_brackets_commas_and_other_entities_are_passed_over(
    tmp_path: Path, lines: tuple[str, ...]
) -> None:
    assert [item.qid for item in read(write_slice(tmp_path / "s.jsonl", *lines))] == ["Q1", "Q22"]


def test_all_members_of_a_gzip_file_are_read(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl.gz"
    path.write_bytes(gzip.compress(f"{ADA},\n".encode()) + gzip.compress(f"{BEN}\n".encode()))
    assert [item.qid for item in read(path)] == ["Q1", "Q22"]


def test_empty_maps_may_be_lists(tmp_path: Path) -> None:
    names = ("labels", "descriptions", "aliases", "claims", "sitelinks")
    line = json.dumps({"type": "item", "id": "Q5"} | {name: [] for name in names})
    assert read(write_slice(tmp_path / "s.jsonl", line)) == [known("Q5", None, None, (), 0)]


def test_absent_maps_are_not_zero_sitelinks(tmp_path: Path) -> None:
    path = write_slice(tmp_path / "s.jsonl", '{"type": "item", "id": "Q5"}')
    assert read(path) == [known("Q5", None, None)]


def test_mul_stands_in_for_a_missing_language(tmp_path: Path) -> None:
    path = write_slice(
        tmp_path / "s.jsonl",
        item_line("Q1", "Ada", "painter", ["A."], language="mul"),
        item_line("Q2", "Ada", "Malerin", ["A."], language="de"),
    )
    assert read(path, "en") == [
        known("Q1", "Ada", "painter", ("A.",), 0, "mul"),
        known("Q2", None, None, (), 0),
    ]


def test_the_language_goes_before_mul_and_aliases_are_joined(tmp_path: Path) -> None:
    def terms(english: str, default: str) -> dict[str, object]:
        return {"en": {"value": english}, "mul": {"value": default}}

    line = json.dumps(
        {
            "type": "item",
            "id": "Q1",
            "labels": terms("Munich", "München"),
            "descriptions": terms("city", "Stadt"),
            "aliases": {"en": [{"value": "Minga"}], "mul": [{"value": "MUC"}, {"value": "Minga"}]},
        }
    )
    found = read(write_slice(tmp_path / "s.jsonl", line))
    assert [(item.label, item.description, item.aliases) for item in found] == [
        ("Munich", "city", ("Minga", "MUC"))
    ]
    assert [(name.text, name.kind, name.language) for name in found[0].names] == [
        ("Munich", "label", "en"),
        ("München", "label", "mul"),
        ("Minga", "alias", "en"),
        ("MUC", "alias", "mul"),
        ("Minga", "alias", "mul"),
    ]


def test_only_wikipedias_count_as_articles(tmp_path: Path) -> None:
    sites = ["enwiki", "be_x_oldwiki", "commonswiki", "specieswiki", "enwikiquote", "dewikisource"]
    path = write_slice(tmp_path / "s.jsonl", item_line("Q1", "Ada", sitelinks=sites))
    assert read(path)[0].sitelinks == 2


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (ADA[:-4], r"not valid JSON at column \d+"),
        (f"{ADA} {BEN}", "not valid JSON at column"),
        (f"[{ADA}, {BEN}]", "must be one entity, found list"),
        ('{"id": "Q1"}', "key `type` is missing"),
        ('{"type": "item", "labels": {}}', "key `id` must be Q and a number, found None"),
        ('{"type": "item", "id": "Q0x"}', "key `id` must be Q and a number, found 'Q0x'"),
        ('{"type": "item", "id": "Q7", "labels": ["a"]}', "item Q7, key `labels`: must be an obj"),
        ('{"type": "item", "id": "Q7", "labels": {"en": "a"}}', "key `labels`: a term must be"),
        ('{"type": "item", "id": "Q7", "aliases": {"en": {"value": "a"}}}', "must be a list"),
        ('{"type": "item", "id": "Q7", "labels": {"en": {"value": "\\ud800"}}}', "surrogate"),
    ],
)
def test_a_broken_line_is_named(tmp_path: Path, line: str, complaint: str) -> None:
    path = write_slice(tmp_path / "s.jsonl", "[", f"{BEN},", line)
    with pytest.raises(WikidataError, match=rf"s\.jsonl, line 3.*{complaint}"):
        read(path)


def test_a_line_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    path.write_bytes(ADA.encode() + b'\n{"type": "item", "id": "Q\xe9"}\n')
    with pytest.raises(WikidataError, match=r"line 2: not UTF-8 at byte 25"):
        read(path)


def test_a_truncated_gzip_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl.gz"
    path.write_bytes(gzip.compress(f"{ADA}\n{BEN}\n".encode())[:-12])
    with pytest.raises(WikidataError, match=r"s\.jsonl\.gz: not whole gzip data"):
        read(path)


def test_plain_text_named_gz_and_a_missing_file_are_named(tmp_path: Path) -> None:
    with pytest.raises(WikidataError, match="not whole gzip data after line 0"):
        read(write_slice(tmp_path / "s.jsonl.gz", ADA))
    with pytest.raises(WikidataError, match=r"none\.jsonl: no such file"):
        read(tmp_path / "none.jsonl")
