"""The stage retrieve: which source it asks, what it writes, and what it says where nothing is."""

from __future__ import annotations

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from mmoe.config.load import ParamsFile
from mmoe.errors import WikidataError
from mmoe.files import read_json
from mmoe.records import Candidate, Entity, Mention, read_records, write_records
from mmoe.wikidata.index.build import build_from_slice

from pipeline.layout import Layout
from pipeline.retrieve import retrieve
from tests.config.sheets import DEFAULTS
from tests.wikidata.slices import item_line, last_run, mention, write_slice


@pytest.fixture
def at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    monkeypatch.chdir(tmp_path)
    at = Layout("toy")
    at.raw.mkdir(parents=True)
    write_records(at.mentions, Mention, [mention("Ada", "a", "Q1"), mention("Ben", "b", "Q2")])
    write_records(at.entities, Entity, [Entity("Q1", "Ada Testwell", "painter", ())])
    return at


def params(source: str, **changes: object) -> ParamsFile:
    path = Path("params.yaml")
    values = DEFAULTS["retrieve"] | {"source": source, "max_candidates": 5} | changes
    YAML(typ="safe", pure=True).dump({"retrieve": values, "wikidata": {}}, path)
    return ParamsFile(path)


def test_index_builds_the_label_index_and_asks_it(at: Layout) -> None:
    write_slice(at.raw / "wikidata.jsonl", item_line("Q2", "Ben", "sailor"))
    retrieve(at, params("index", match="exact"))
    assert [c.qid for c in read_records(at.candidates, Candidate)] == ["Q2"]
    assert sorted(path.name for path in (at.labels / "index").iterdir()) == [
        "items",
        "names",
        "source.json",
    ]
    counts = read_json(at.retrieve_counts)
    assert counts["source"] == "index"
    assert counts["sources"]["index"]["all"]["recall_at_1"] == 0.5
    assert counts["sources"]["kb"]["all"]["recall_at_1"] == 0.0
    assert last_run(at).keys() == {"index", "kb"}


def test_kb_reads_the_entities_says_so_and_leaves_no_old_index(at: Layout) -> None:
    write_slice(at.raw / "wikidata.jsonl", item_line("Q2", "Ben", "sailor"))
    retrieve(at, params("index"))
    (at.raw / "wikidata.jsonl").unlink()
    retrieve(at, params("kb", match="tokens"))
    (found,) = read_records(at.candidates, Candidate)
    assert (found.mention_id, found.qid, found.description) == ("a", "Q1", "painter")
    assert "attributes" in read_json(at.retrieve_counts)["note"]
    assert list(at.labels.iterdir()) == []


def test_a_run_that_fails_loses_nothing(at: Layout) -> None:
    dump = write_slice(at.raw / "wikidata.jsonl", item_line("Q2", "Ben", "sailor"))
    retrieve(at, params("index", match="exact"))
    outs = [at.candidates, at.retrieve_counts, at.labels / "index/source.json"]
    before = [path.read_bytes() for path in outs]
    dump.write_text("{")
    with pytest.raises(WikidataError, match=r"wikidata\.jsonl"):
        retrieve(at, params("index", match="exact"))
    assert [path.read_bytes() for path in outs] == before


def test_none_finds_nothing(at: Layout) -> None:
    retrieve(at, params("none"))
    assert read_records(at.candidates, Candidate) == []
    counts = read_json(at.retrieve_counts)["sources"]
    assert counts["none"]["test"]["mentions_without_candidate"] == 2
    assert list(at.labels.iterdir()) == []


def test_an_index_from_elsewhere_is_asked_where_it_lies(at: Layout, tmp_path: Path) -> None:
    dump = write_slice(tmp_path / "dump.jsonl", item_line("Q2", "Ben", "sailor"))
    build_from_slice(dump, ["en"], tmp_path / "large")
    retrieve(at, params("index", index=str(tmp_path / "large")))
    assert [c.qid for c in read_records(at.candidates, Candidate)] == ["Q2"]
    assert list(at.labels.iterdir()) == []


def test_an_index_that_is_not_there_is_named(at: Layout) -> None:
    with pytest.raises(WikidataError, match=r"nowhere: no whole label index.*mmoe label-index"):
        retrieve(at, params("index", index="nowhere"))
