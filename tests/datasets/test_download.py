"""The folder that a download leaves: what the reader wants, nothing else, and only if all is right."""

from __future__ import annotations

import hashlib
import json
import os
import re
import socket
import struct
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmoe.datasets import read_dataset
from mmoe.datasets.catalogue import CATALOGUE, GITHUB, Source
from mmoe.datasets.download import download, extract_json, record_ids, split_by_hash
from mmoe.errors import DataError

from tests.datasets.published_site import SPLITS, Site, publish, serving, zipped

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
    right = (
        benchmark.names.path,
        site.files[f"/{benchmark.names.repository}/{'0' * 40}/data/qid2ne.json"],
    )
    site.replace(right[0], content)
    with pytest.raises(DataError, match=r"qid2ne\.json: not the published file.*--mirror"):
        download(benchmark, folder, site.base)
    assert not folder.exists()
    site.replace(*right)
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


@pytest.mark.parametrize("name", ["data.json", "Some Folder/Daten ä.JSON", "a..b.json"])
def test_the_only_json_of_an_archive_comes_out(tmp_path: Path, name: str) -> None:
    archive = tmp_path / "data.zip"
    archive.write_bytes(zipped(name, "readme.txt", f"__MACOSX/._{Path(name).name}", content="1"))
    assert extract_json(archive) == b"1"


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ([], "wanted one .json member, found none"),
        (["a.json", "b/c.json"], r"found a\.json, b/c\.json; look into"),
        (["../evil.json"], r"member '\.\./evil\.json' leads out"),
        (["good.json", "a/../../evil.txt"], "leads out"),
        (["/etc/evil.json"], "leads out"),
        (["C:/evil.json"], "leads out"),
        (["..\\evil.json"], "leads out"),
        (["large.json"], r"'large\.json' holds 1,001 bytes, more than the 1,000"),
    ],
)
def test_what_is_refused_in_an_archive(tmp_path: Path, members: list[str], message: str) -> None:
    (tmp_path / "data.zip").write_bytes(zipped(*members, content="0" * 1001))
    with pytest.raises(DataError, match=rf"data\.zip: .*{message}"):
        extract_json(tmp_path / "data.zip", largest=1000)


@pytest.mark.parametrize("spoilt", ["no zip", "content", "size", "encrypted"])
def test_a_zip_that_lies(tmp_path: Path, spoilt: str) -> None:
    raw = bytearray(zipped("a.json", content="0123456789" * 10))
    directory = raw.index(b"PK\1\2")
    match spoilt:
        case "no zip":
            raw = bytearray(b"<html>")
        case "content":
            raw[raw.index(b"a.json") + 8] ^= 0xFF
        case "size":
            struct.pack_into("<I", raw, directory + 24, 7)
        case _:
            raw[6] |= 1
            raw[directory + 8] |= 1
    (tmp_path / "data.zip").write_bytes(raw)
    with pytest.raises(DataError, match="can't be unpacked"):
        extract_json(tmp_path / "data.zip")


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


@pytest.mark.parametrize(
    ("train", "test", "message"),
    [
        (["a", "b"], ["c", "b"], "id 'b' stands twice"),
        (["a"], ["b", "c"], "1 train ids: too few to take 1 for valid"),
    ],
)
def test_parts_that_are_no_parts(train: list[str], test: list[str], message: str) -> None:
    with pytest.raises(DataError, match=message):
        split_by_hash(train, test, 1)


@pytest.mark.parametrize("content", [[], {"a": []}, {"a": {"id": "b"}}])
def test_a_list_of_something_else(tmp_path: Path, content: object) -> None:
    (tmp_path / "train.json").write_text(json.dumps(content))
    with pytest.raises(DataError, match=r"train\.json.*: must be "):
        record_ids(tmp_path / "train.json")


def test_the_catalogues_pins_are_whole() -> None:
    sources = {
        source
        for benchmark in CATALOGUE.values()
        for long in (False, benchmark.long_attributes is not None)
        for files in benchmark.files(long=long).values()
        for source in files
    }
    assert len({source.sha256 for source in sources}) == len({s.key for s in sources}) == 10
    for source in sources:
        assert re.fullmatch(r"[0-9a-f]{40}", source.commit)
        assert re.fullmatch(r"[0-9a-f]{64}", source.sha256)
    assert Source("a/b", "1", "c d/ä", "").url(f"{GITHUB}/") == f"{GITHUB}/a/b/1/c%20d/%C3%A4"


@pytest.mark.skipif("MMOE_REAL_DATA" not in os.environ, reason="MMOE_REAL_DATA names no folder")
def test_the_published_split_of_richpediamel() -> None:
    folder = Path(os.environ["MMOE_REAL_DATA"]) / "richpediamel"
    wanted = json.loads((folder / "splits.json").read_text("utf-8"))
    held = set(wanted["train"]) | set(wanted["valid"])
    together = [name for name in record_ids(folder / "Richpedia-MEL.json") if name in held]
    splits = split_by_hash(together, wanted["test"], 1_780)
    assert {name: set(ids) for name, ids in splits.items()} == {
        name: set(ids) for name, ids in wanted.items()
    }
    assert splits["test"] == wanted["test"]
