"""A slice, the API and kept answers give the same candidates through the stage; others ask nobody."""

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

from pipeline.layout import Layout
from pipeline.retrieve import retrieve
from tests.config.sheets import DEFAULTS
from tests.wikidata.api.fake.server import Fake, serving
from tests.wikidata.api.fake.store import item
from tests.wikidata.api.runs import CONTACT, WORDS, small_world
from tests.wikidata.slices import last_run, mention


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Fake]:
    monkeypatch.setenv("MMOE_CONTACT", CONTACT)
    monkeypatch.setenv("MMOE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("MMOE_OFFLINE", raising=False)
    with serving(Fake()) as running:
        running.store = small_world()
        yield running


@pytest.fixture
def at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    monkeypatch.chdir(tmp_path)
    at = Layout("toy")
    at.raw.mkdir(parents=True)
    mentions = [mention(word, f"m{number}", "Q1") for number, word in enumerate(WORDS)]
    write_records(at.mentions, Mention, mentions)
    write_records(at.entities, Entity, [Entity("Q1", "Lurien", "town", ())])
    return at


def params(fake: Fake, source: str, match: str = "exact") -> ParamsFile:
    changes = {
        "source": source,
        "match": match,
        "api_url": fake.url,
    }
    fast = {"requests_per_minute": 100_000}
    path = Path("params.yaml")
    YAML(typ="safe", pure=True).dump(
        {"retrieve": DEFAULTS["retrieve"] | changes, "wikidata": fast}, path
    )
    return ParamsFile(path)


@pytest.mark.parametrize(("match", "at_least"), [("exact", 8), ("tokens", 40)])
def test_a_slice_the_api_and_kept_answers_agree(
    fake: Fake, at: Layout, match: str, at_least: int
) -> None:
    # The API lists it for "Ada Lurien", whose tokens stand in two of its names.
    fake.store.add(item(300, "Ada Brask", ["Lurien Brask"]))
    lines = (json.dumps(one) + "\n" for one in fake.store.items.values())
    (at.raw / "wikidata.jsonl").write_text("".join(lines))
    retrieve(at, params(fake, "index", match))
    expected = read_records(at.candidates, Candidate)
    assert len(expected) >= at_least

    retrieve(at, params(fake, "api", match))
    assert read_records(at.candidates, Candidate) == expected
    counts = read_json(at.retrieve_counts)["sources"]
    assert list(counts) == ["api", "index", "kb"]
    extra = {"surface_forms_cut": [], "items_left_out": {"disambiguation page": 1}}
    assert counts["api"] == counts["index"] | extra
    run = last_run(at)["api"]
    assert sum(run["requests"].values()) == len(fake.log) > 0
    assert run["cache_hits"] == 0

    asked = len(fake.log)
    retrieve(at, params(fake, "api", match), offline=True)
    assert len(fake.log) == asked
    assert read_records(at.candidates, Candidate) == expected
    assert last_run(at)["api"]["requests"] == {}


def test_nothing_is_asked_by_other_sources(
    fake: Fake, at: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MMOE_CONTACT")
    for source in ("kb", "none"):
        retrieve(at, params(fake, source))
    assert fake.log == []


def test_offline_by_environment_says_what_is_missing(
    fake: Fake, at: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MMOE_OFFLINE", "1")
    with pytest.raises(WikidataError, match=r"answers about 7 of 7 surface forms are not kept"):
        retrieve(at, params(fake, "api"))
    assert fake.log == []
