"""The stage retrieve: which source it asks, what it writes, and what it says where nothing is.

A slice, the API and kept answers give the same candidates; other sources ask nobody.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
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
from tests.wikidata.api.fake.server import Fake, serving
from tests.wikidata.api.fake.store import item
from tests.wikidata.api.runs import CONTACT, WORDS, small_world
from tests.wikidata.knowledge.world import line
from tests.wikidata.slices import last_run, mention, write_slice

BEN = line("Q2", "Ben", description="sailor")


@pytest.fixture
def at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    monkeypatch.chdir(tmp_path)
    at = Layout("toy")
    at.raw.mkdir(parents=True)
    write_records(at.mentions, Mention, [mention("Ada", "a", "Q1"), mention("Ben", "b", "Q2")])
    write_records(at.entities, Entity, [Entity("Q1", "Ada Testwell", "painter", ())])
    return at


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Fake]:
    monkeypatch.setenv("MMOE_CONTACT", CONTACT)
    monkeypatch.setenv("MMOE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("MMOE_OFFLINE", raising=False)
    with serving(Fake()) as running:
        running.store = small_world()
        yield running


def params(source: str, fake: Fake | None = None, **changes: object) -> ParamsFile:
    path = Path("params.yaml")
    values = DEFAULTS["retrieve"] | {"source": source, "max_candidates": 5} | changes
    if fake is not None:
        values["api_url"] = fake.url
    wikidata = {"requests_per_minute": 100_000}
    YAML(typ="safe", pure=True).dump({"retrieve": values, "wikidata": wikidata}, path)
    return ParamsFile(path)


def ask_for_words(at: Layout) -> None:
    """Makes the mentions those that the small world is made for."""
    mentions = [mention(word, f"m{number}", "Q1") for number, word in enumerate(WORDS)]
    write_records(at.mentions, Mention, mentions)


def test_index_builds_the_label_index_and_asks_it(at: Layout) -> None:
    write_slice(at.raw / "wikidata.jsonl", BEN)
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
    write_slice(at.raw / "wikidata.jsonl", BEN)
    retrieve(at, params("index"))
    (at.raw / "wikidata.jsonl").unlink()
    retrieve(at, params("kb", match="tokens"))
    (found,) = read_records(at.candidates, Candidate)
    assert (found.mention_id, found.qid, found.description) == ("a", "Q1", "painter")
    assert "attributes" in read_json(at.retrieve_counts)["note"]
    assert list(at.labels.iterdir()) == []


def test_a_run_that_fails_loses_nothing(at: Layout) -> None:
    dump = write_slice(at.raw / "wikidata.jsonl", BEN)
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
    dump = write_slice(tmp_path / "dump.jsonl", BEN)
    build_from_slice(dump, ["en"], tmp_path / "large")
    retrieve(at, params("index", index=str(tmp_path / "large")))
    assert [c.qid for c in read_records(at.candidates, Candidate)] == ["Q2"]
    assert list(at.labels.iterdir()) == []


def test_an_index_that_is_not_there_is_named(at: Layout) -> None:
    with pytest.raises(WikidataError, match=r"nowhere: no whole label index.*mmoe label-index"):
        retrieve(at, params("index", index="nowhere"))


@pytest.mark.parametrize(("match", "at_least"), [("exact", 8), ("tokens", 40)])
def test_a_slice_the_api_and_kept_answers_agree(
    fake: Fake, at: Layout, match: str, at_least: int
) -> None:
    # The API lists it for "Ada Lurien", whose tokens stand in two of its names.
    fake.store.add(item(300, "Ada Brask", ["Lurien Brask"]))
    write_slice(at.raw / "wikidata.jsonl", *map(json.dumps, fake.store.items.values()))
    ask_for_words(at)
    retrieve(at, params("index", match=match, max_candidates=50))
    expected = read_records(at.candidates, Candidate)
    assert len(expected) >= at_least

    retrieve(at, params("api", fake, match=match, max_candidates=50))
    assert read_records(at.candidates, Candidate) == expected
    counts = read_json(at.retrieve_counts)["sources"]
    assert list(counts) == ["api", "index", "kb"]
    extra = {"surface_forms_cut": [], "items_left_out": {"disambiguation page": 1}}
    assert counts["api"] == counts["index"] | extra
    run = last_run(at)["api"]
    assert sum(run["requests"].values()) == len(fake.log) > 0
    assert run["cache_hits"] == 0

    asked = len(fake.log)
    retrieve(at, params("api", fake, match=match, max_candidates=50), offline=True)
    assert len(fake.log) == asked
    assert read_records(at.candidates, Candidate) == expected
    assert last_run(at)["api"]["requests"] == {}


def test_nothing_is_asked_by_other_sources(
    fake: Fake, at: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MMOE_CONTACT")
    for source in ("kb", "none"):
        retrieve(at, params(source, fake))
    assert fake.log == []


def test_offline_by_environment_says_what_is_missing(
    fake: Fake, at: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MMOE_OFFLINE", "1")
    ask_for_words(at)
    with pytest.raises(WikidataError, match=r"answers about 7 of 7 surface forms are not kept"):
        retrieve(at, params("api", fake))
    assert fake.log == []
