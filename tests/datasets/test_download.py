"""The folder that a download leaves: what the reader wants, nothing else, and only if all is right."""

from __future__ import annotations

import hashlib
import json
import os
import re
import socket
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmoe.datasets import read_dataset
from mmoe.datasets.catalogue import CATALOGUE
from mmoe.datasets.download import download, split_by_hash
from mmoe.datasets.rows import read_json_object
from mmoe.errors import DataError

from tests.datasets.published_site import LISTS, SPLITS, Site, publish, serving

FILES = {"Small-MEL.json", "qid2abs.json", "qid2ne.json", "splits.json"}


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Site]:
    """A server, no proxy before it, and a cache of one's own."""
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "127.0.0.1")
    cached = partial(download, cache=tmp_path / "cache", retries=0)
    monkeypatch.setattr("tests.datasets.test_download.download", cached)
    with serving() as running:
        yield running


def names_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("held_out", [True, False])
def test_the_reader_reads_what_came(site: Site, tmp_path: Path, held_out: bool) -> None:
    folder, benchmark = tmp_path / "set", publish(site, held_out=held_out)
    assert download(benchmark, folder, site.base)
    assert names_in(folder) == FILES
    assert json.loads((folder / "splits.json").read_text()) == SPLITS
    dataset = read_dataset(folder, "auto")
    assert {m.mention_id: m.split for m in dataset.mentions} == {
        name: split for split, names in SPLITS.items() for name in names
    }
    assert [(e.qid, e.name, e.attributes) for e in dataset.entities] == [("Q1", "Name", "short")]
    site.asked()
    assert not download(benchmark, folder, site.base)
    assert site.asked() == []
    (folder / "splits.json").unlink()
    assert download(benchmark, folder, site.base)
    assert names_in(folder) == FILES
    assert site.asked() == []


def test_long_attributes_stand_where_the_reader_looks(site: Site, tmp_path: Path) -> None:
    benchmark = publish(site, held_out=True)
    for long, wanted in [(True, "rather long"), (False, "short"), (True, "rather long")]:
        assert download(benchmark, tmp_path / "set", site.base, long=long)
        assert read_dataset(tmp_path / "set", "auto").entities[0].attributes == wanted
        assert names_in(tmp_path / "set") == FILES
    with pytest.raises(DataError, match="no long attributes; leave out --long"):
        download(publish(site, held_out=False), tmp_path / "x", site.base, long=True)


@pytest.mark.parametrize("name", ["Small-MEL.json", "qid2abs.json", "splits.json"])
def test_a_file_of_the_users_own_is_not_written_over(site: Site, tmp_path: Path, name: str) -> None:
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / name).write_text('{"mine": 1}')
    with pytest.raises(DataError, match=rf"{name}: is another file than the published one; move"):
        download(publish(site, held_out=True), tmp_path / "set", site.base)
    assert (tmp_path / "set" / name).read_text() == '{"mine": 1}'
    assert names_in(tmp_path / "set") == {name}


@pytest.mark.parametrize("content", [b"{}", b"", b"<html>Log in</html>"])
def test_another_file_is_never_taken(site: Site, tmp_path: Path, content: bytes) -> None:
    benchmark, folder = publish(site, held_out=True), tmp_path / "set"
    path = f"/{LISTS}/qid2ne.json"
    right, site.files[path] = site.files[path], content
    with pytest.raises(DataError, match=r"qid2ne\.json: not the published file.*--mirror"):
        download(benchmark, folder, site.base)
    assert not folder.exists()
    site.files[path] = right
    site.asked()
    download(benchmark, folder, site.base)
    assert site.asked() == ["qid2ne.json", "train.json", "test.json"]


@pytest.mark.parametrize(
    ("code", "remedy"),
    [(401, "login"), (403, "another network"), (404, "--mirror"), (418, "later")],
)
def test_a_refusal_is_said_with_a_remedy(
    site: Site, tmp_path: Path, code: int, remedy: str
) -> None:
    benchmark = publish(site, held_out=False)
    site.refusals["qid2abs.json"] = [code]
    with pytest.raises(DataError, match=rf"qid2abs\.json: HTTP {code} .*{remedy}") as caught:
        download(benchmark, tmp_path / "set", site.base)
    assert "\n" not in str(caught.value)


def test_a_busy_server_is_asked_again(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pooch.core.time.sleep", lambda _: None)
    site.refusals["qid2abs.json"] = [503, 429]
    assert download(publish(site, held_out=False), tmp_path / "set", site.base, retries=2)


def test_nobody_at_that_address(site: Site, tmp_path: Path) -> None:
    benchmark = publish(site, held_out=False)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        base = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(DataError, match=r"no answer \(.*refused.*\); look at the network"):
            download(benchmark, tmp_path / "set", base)


IDS = st.lists(st.text(st.characters(exclude_categories=["Cs"])), unique=True, min_size=2)


def digest(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


@given(ids=IDS, data=st.data())
def test_valid_sorts_first_and_orders_stay(ids: list[str], data: st.DataObject) -> None:
    cut = data.draw(st.integers(1, len(ids)))
    num_valid = data.draw(st.integers(0, cut - 1))
    splits = split_by_hash(ids[:cut], ids[cut:], num_valid)
    assert (list(splits), splits["test"]) == (["train", "valid", "test"], ids[cut:])
    assert len(splits["valid"]) == num_valid
    assert [name for name in ids if name in splits["train"]] == splits["train"]
    assert sorted(splits["train"] + splits["valid"]) == sorted(ids[:cut])
    assert all(digest(v) < digest(t) for v in splits["valid"] for t in splits["train"])


def test_the_catalogues_pins_are_whole() -> None:
    pins = {
        pin
        for benchmark in CATALOGUE.values()
        for long in (False, True)
        for pin in benchmark.files(long=long).values()
    }
    assert len(pins) == len({sha256 for _, sha256 in pins}) == 10
    for path, sha256 in pins:
        assert re.fullmatch(r"[\w-]+/[\w-]+/[0-9a-f]{40}/.+", path)
        assert re.fullmatch(r"[0-9a-f]{64}", sha256)


@pytest.mark.skipif("MMOE_REAL_DATA" not in os.environ, reason="MMOE_REAL_DATA names no folder")
def test_the_published_split_of_richpediamel() -> None:
    folder = Path(os.environ["MMOE_REAL_DATA"]) / "richpediamel"
    wanted = json.loads((folder / "splits.json").read_text("utf-8"))
    held = set(wanted["train"]) | set(wanted["valid"])
    records = read_json_object(folder / "Richpedia-MEL.json")
    together = [name for name in records if name in held]
    splits = split_by_hash(together, wanted["test"], 1_780)
    assert {name: set(ids) for name, ids in splits.items()} == {
        name: set(ids) for name, ids in wanted.items()
    }
    assert splits["test"] == wanted["test"]
