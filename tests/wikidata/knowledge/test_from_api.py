"""A knowledge base from the API equals the one from a dump of the same items, in few requests."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mmoe.errors import WikidataError
from mmoe.wikidata.api import ApiSettings
from mmoe.wikidata.knowledge.build import build_from_dump
from mmoe.wikidata.knowledge.from_api import build_from_api
from mmoe.wikidata.knowledge.request import Choice, KbRequest

from tests.wikidata.api.clock import StoppedClock
from tests.wikidata.api.fake.server import Fake
from tests.wikidata.api.fake.store import item
from tests.wikidata.api.fake.tricks import api_error
from tests.wikidata.knowledge.test_command import run
from tests.wikidata.knowledge.world import rows, write_dump

NAMES = Choice(names=frozenset({"ada testwell", "testfield", "nobody"}))


FromApi = Callable[..., dict[str, int]]


@pytest.fixture
def from_api(settings: ApiSettings, time_of: StoppedClock, tmp_path: Path) -> FromApi:
    """Builds a knowledge base of that name, with other settings if they are named."""

    def build(name: str, request: KbRequest, **changes: Any) -> dict[str, int]:
        changed = replace(settings, **changes)
        return build_from_api(tmp_path / name, request, changed, time_of.clock())

    return build


@pytest.mark.parametrize(
    "wanted",
    [
        KbRequest(NAMES),
        KbRequest(NAMES, languages=("de", "en"), with_description=True),
        KbRequest(NAMES, properties=None, max_entities=1, with_slice=True),
        KbRequest(Choice(names=frozenset({"testwell"}), match="tokens")),
        KbRequest(
            Choice(qids=frozenset({"Q900004", "Q900001", "Q5"})), properties=("P2048", "P31")
        ),
        KbRequest(Choice(NAMES.names, frozenset({"Q900003"})), with_slice=True),
        KbRequest(Choice(NAMES.names, frozenset({"Q900003"}), frozenset({"Q5"}))),
        KbRequest(Choice(NAMES.names, kinds=frozenset({"Q515"}))),
        KbRequest(Choice(NAMES.names, frozenset({"Q900008"}), frozenset({"Q515"}))),
    ],
)
def test_the_same_entities_as_from_a_dump(
    from_api: FromApi, tmp_path: Path, wanted: KbRequest
) -> None:
    counts = from_api("api", wanted, languages=wanted.languages)
    dump = write_dump(tmp_path / "dump.json")
    same = build_from_dump(str(dump), tmp_path / "dump", wanted)
    for name in ("entities.jsonl", "items.jsonl"):
        by_qid = [
            sorted(rows(tmp_path / source / name), key=lambda row: str(row["qid"]))
            for source in ("api", "dump")
        ]
        assert by_qid[0] == by_qid[1]
    assert counts["entities"] == same["entities"] > 0
    for name in ("labels missing", "left out: disambiguation page"):
        assert counts.get(name, 0) == same.get(name, 0)
    slices = [(tmp_path / source / "wikidata.jsonl") for source in ("api", "dump")]
    assert [file.exists() for file in slices] == [wanted.with_slice] * 2
    if wanted.with_slice:
        found = ([row["id"] for row in rows(file)] for file in slices)
        assert sorted(next(found)) == sorted(next(found))


def test_a_second_run_makes_no_request_and_offline_says_what_is_lacking(
    world: Fake, from_api: FromApi, tmp_path: Path
) -> None:
    first = from_api("a", KbRequest(NAMES))
    assert first["requests"] == len(world.log) > 0
    again = from_api("b", KbRequest(NAMES))
    assert again == first | {"requests": 0}
    assert from_api("c", KbRequest(NAMES), contact="", offline=True) == again
    other = KbRequest(Choice(qids=frozenset({"Q900002", "Q900005"})))
    with pytest.raises(WikidataError, match="about 1 entities and perhaps more are not kept"):
        from_api("d", other, contact="", offline=True)
    assert list((tmp_path / "d").iterdir()) == []
    assert len(world.log) == first["requests"]


def test_a_request_that_fails_leaves_the_knowledge_base_as_it_was(
    world: Fake, from_api: FromApi, tmp_path: Path
) -> None:
    def files() -> dict[str, bytes]:
        return {file.name: file.read_bytes() for file in (tmp_path / "kb").iterdir()}

    from_api("kb", KbRequest(NAMES))
    before, failed = files(), 0
    wanted = KbRequest(Choice(qids=frozenset({"Q900001", "Q900004"})), properties=("P31", "P2048"))
    while files() == before:
        world.tricks = {len(world.log) + failed + 1: api_error("badvalue", "No.")}
        try:
            from_api("kb", wanted, cache_folder=tmp_path / f"cache {failed}")
        except WikidataError:
            failed += 1
    assert failed > 1  # items, and then labels


def test_redirected_and_missing_ids_are_counted(
    world: Fake, from_api: FromApi, tmp_path: Path
) -> None:
    world.store.redirects["Q70"] = "Q900002"
    listed = KbRequest(Choice(qids=frozenset({"Q70", "Q900002", "Q404"})))
    counts = from_api(".", listed)
    assert [row["qid"] for row in rows(tmp_path / "entities.jsonl")] == ["Q900002"]
    assert (counts["left out: no such item"], counts["left out: duplicate"]) == (1, 1)
    assert counts["listed ids without an item"] == 1
    gone = KbRequest(Choice(qids=frozenset({"Q404"})))
    with pytest.raises(WikidataError, match="1 listed ids without an item; 1 left out: no such"):
        from_api("none", gone)


def test_the_receipt_tells_of_names_in_too_many_items(
    world: Fake, from_api: FromApi, tmp_path: Path
) -> None:
    for number in range(1000, 1600):
        world.store.add(item(number, f"Ben Testwell {number}", ["Ben"], description="x"))
    wanted = KbRequest(Choice(names=frozenset({"testwell", "testfeld"}), match="tokens"))
    for max_hits, cut in ((100, 1), (10_000, 0)):
        counts = from_api(".", wanted, max_hits=max_hits)
        receipt = json.loads((tmp_path / "kb.json").read_text("utf-8"))
        assert receipt["counts"]["names in more items than the API lists"] == cut
        assert counts == receipt["counts"] | {"requests": counts["requests"]}
        assert (counts["entities"] == 602) == (not cut)


def test_the_command_with_the_api_in_place_of_a_dump(
    world: Fake,
    settings: ApiSettings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("MMOE_CONTACT", settings.contact)
    monkeypatch.setenv("MMOE_CACHE", str(settings.cache_folder))
    (tmp_path / "ids").write_text("Q900001\n")
    out = tmp_path / "kb"
    assert run("api", out, "--qids", tmp_path / "ids", "--api-url", world.url) == 0
    assert capsys.readouterr().out.splitlines()[0] == f"{out}/entities.jsonl: 1 entities"
    with pytest.raises(WikidataError, match="does not list all items of a kind; add --names"):
        run("api", out, "--kinds", "Q5", "--replace")
