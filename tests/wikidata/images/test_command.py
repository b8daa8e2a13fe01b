"""The command: from ids or a knowledge base to images in it, and in a table of entities."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mmoe.datasets.own import read_entities
from mmoe.errors import MmoeError
from mmoe.wikidata.entity import Item
from mmoe.wikidata.images.add import put_into
from mmoe.wikidata.knowledge.build import build_from_dump
from mmoe.wikidata.knowledge.request import Choice, KbRequest
from mmoe.wikidata.label_index import write_label_index

from tests.wikidata.api.fake.server import Fake, serving
from tests.wikidata.api.fake.store import Store, item
from tests.wikidata.cli import run as command
from tests.wikidata.images.commons import Commons
from tests.wikidata.knowledge.world import statement, write_dump


def run(commons: Commons, *arguments: object) -> int:
    fast = ["--commons", commons.url, "--requests-per-minute", 100_000]
    return command("images", *arguments, *fast)


def test_a_knowledge_base_gets_its_images(
    commons: Commons, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kb = tmp_path / "kb"
    request = KbRequest(Choice(kinds=frozenset({"Q5", "Q515"})))
    build_from_dump(str(write_dump(tmp_path / "dump.json")), kb, request)
    commons.add("Ada Testwell 1901.jpg")
    assert run(commons, kb / "entities.jsonl", kb) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{kb}: 1 of 3 items have an image",
        "  entities that are no item of Wikidata: 0",
        "  items not known: 0",
        "  items without an image: 2",
        "  images: 1",
        "  there already: 0",
        "  fetched: 1",
        "  without a licence: 0",
        "  without an author: 0",
        "  requests: 2",
        f"{kb}/entities.jsonl: 1 rows name an image of these",
    ]
    _, found, _ = read_entities(kb)
    assert {entity.qid: entity.images for entity in found} == {
        "Q900001": ("images/Q900001.jpg",),
        "Q900002": (),
        "Q900004": (),
    }
    assert run(commons, kb / "entities.jsonl", kb) == 0
    assert len(commons.log) == 2


def test_ids_and_an_index_and_a_table_that_is_named(commons: Commons, tmp_path: Path) -> None:
    write_label_index(tmp_path / "index", [Item("Q1", "A", None, image="A.jpg")], {})
    (tmp_path / "items.jsonl").write_text('{"qid": "Q1", "image": "A.jpg"}\n\n{"qid": "Q1"}')
    (tmp_path / "ids.txt").write_text("Q1\nQ2\n")
    table = tmp_path / "entities.jsonl"
    table.write_text('{"qid": "Q1", "name": "A"}\n')
    commons.add("A.jpg")
    arguments = (tmp_path / "ids.txt", tmp_path / "more", "--width", 60, "--from")
    with pytest.raises(
        MmoeError, match=r"items\.jsonl, row 3: must be a JSON object with `qid` and"
    ):
        run(commons, *arguments, tmp_path / "items.jsonl")
    assert run(commons, *arguments, tmp_path / "index") == 0
    assert table.read_text() == '{"qid": "Q1", "name": "A"}\n'
    assert run(commons, *arguments, tmp_path / "index", "--into", table) == 0
    assert json.loads(table.read_text())["images"] == ["more/images/Q1.jpg"]


def test_without_an_index_the_api_tells_the_names(
    commons: Commons, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = item(1, "Ada")
    one["claims"]["P18"] = [statement("A.jpg")]
    store = Store()
    store.add(one)
    commons.add("A.jpg")
    (tmp_path / "entities.jsonl").write_text('{"qid": "Q1"}\n{"qid": "own-7"}\n{"qid": "Q404"}\n')
    with serving(Fake(store)) as wikidata:
        options = ("--wikidata", wikidata.url)
        assert run(commons, tmp_path / "entities.jsonl", tmp_path / "out", *options) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1:3] == ["  entities that are no item of Wikidata: 1", "  items not known: 1"]
    row = json.loads((tmp_path / "entities.jsonl").read_text().splitlines()[0])
    assert row["images"] == ["out/images/Q1.jpg"]


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (
            ["--width", "300"],
            "--width 300: Commons serves no .* choose one of 20, 40, 60, 120, 250",
        ),
        (["--into", "gone.jsonl"], r"gone\.jsonl: no such file"),
        (["--from", "gone"], "gone: no such file"),
    ],
)
def test_a_wrong_option_is_named_before_any_request(
    commons: Commons, tmp_path: Path, options: list[str], complaint: str
) -> None:
    (tmp_path / "ids").write_text("Q1\n")
    with pytest.raises(MmoeError, match=complaint):
        run(commons, tmp_path / "ids", tmp_path / "out", *options)
    assert commons.log == []
    assert not (tmp_path / "out").exists()


def test_images_are_put_after_the_users_own_and_replace_earlier_ones(tmp_path: Path) -> None:
    table, untouched = tmp_path / "entities.jsonl", '{ "qid":"Q9",  "name" : "\\u00e9é" }'
    rows: list[dict[str, object]] = [
        {"qid": "Q1", "name": "a"},
        {"qid": " Q2 ", "images": ["mine.jpg", "kb/images/Q2.png"], "extra": 1},
        {"qid": "Q4", "images": ["kb/images/Q44.jpg"]},
    ]
    table.write_text("\n\n".join([untouched, *map(json.dumps, rows)]), "utf-8")
    paths = {"Q1": "images/Q1.jpg", "Q2": "images/Q2.jpg", "Q4": "images/Q4.gif"}
    for _ in range(2):
        assert put_into(table, tmp_path / "kb", paths) == 3
        first, *others = table.read_text("utf-8").splitlines()
        assert first == untouched  # to the byte
        assert [json.loads(line) for line in others] == [
            rows[0] | {"images": ["kb/images/Q1.jpg"]},
            rows[1] | {"images": ["mine.jpg", "kb/images/Q2.jpg"]},
            rows[2] | {"images": ["kb/images/Q44.jpg", "kb/images/Q4.gif"]},
        ]


def test_a_broken_row_leaves_the_table_alone(tmp_path: Path) -> None:
    table = tmp_path / "entities.jsonl"
    table.write_text('{"qid": "Q1"}\n{broken\n')
    with pytest.raises(MmoeError, match=r"entities\.jsonl, row 2: not valid JSON"):
        put_into(table, tmp_path, {"Q1": "images/Q1.jpg"})
    assert table.read_text() == '{"qid": "Q1"}\n{broken\n'


def test_images_must_lie_where_the_table_can_name_them(commons: Commons, tmp_path: Path) -> None:
    (tmp_path / "kb").mkdir()
    table = tmp_path / "kb" / "entities.jsonl"
    table.write_text('{"qid": "Q1"}\n')
    with pytest.raises(MmoeError, match=r"lies outside of .*kb, from where"):
        run(commons, table, tmp_path / "other")
    assert commons.log == []
