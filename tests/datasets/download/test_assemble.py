"""The folder that a download leaves: what the reader wants, nothing else, and only if all is right."""

from __future__ import annotations

import dataclasses
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mmoe.datasets import read_dataset
from mmoe.datasets.download.assemble import assemble
from mmoe.datasets.download.fetch import Patience
from mmoe.errors import DataError

from tests.datasets.download import tricks
from tests.datasets.download.published import AT, SPLITS, publish, zipped_records
from tests.datasets.download.server import Handler, Site

FILES = {"Small-MEL.json", "qid2abs.json", "qid2ne.json", "splits.json", ".download.json"}
NO_WAIT = Patience(sleep=lambda _: None)


def names_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def asked_for(site: Site) -> list[str]:
    """The last parts of the paths that were asked for since the last call."""
    names = [asked.path.rpartition("/")[2] for asked in site.log]
    site.log.clear()
    return names


@pytest.mark.parametrize("held_out", [True, False])
def test_the_reader_reads_what_came(site: Site, tmp_path: Path, held_out: bool) -> None:
    assert assemble(publish(site, held_out=held_out), tmp_path, site.base)
    assert names_in(tmp_path) == FILES
    assert json.loads((tmp_path / "splits.json").read_text()) == SPLITS
    dataset = read_dataset(tmp_path, "auto")
    assert {m.mention_id: m.split for m in dataset.mentions} == {
        name: split for split, names in SPLITS.items() for name in names
    }
    assert [(e.qid, e.name, e.attributes) for e in dataset.entities] == [("Q1", "Name", "short")]


@pytest.mark.parametrize("held_out", [True, False])
def test_a_second_run_asks_for_nothing(site: Site, tmp_path: Path, held_out: bool) -> None:
    benchmark = publish(site, held_out=held_out)
    assemble(benchmark, tmp_path, site.base)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    site.log.clear()
    assert not assemble(benchmark, tmp_path, site.base)
    assert site.log == []
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before


def test_long_attributes_stand_where_the_reader_looks(site: Site, tmp_path: Path) -> None:
    benchmark = publish(site, held_out=True)
    for long, wanted, file in [
        (True, "rather long", AT.long_attributes),
        (False, "short", AT.attributes),
        (True, "rather long", AT.long_attributes),
    ]:
        site.log.clear()
        assert assemble(benchmark, tmp_path, site.base, long=long)
        assert read_dataset(tmp_path, "auto").entities[0].attributes == wanted
        assert names_in(tmp_path) == FILES
        assert Path(file).name in asked_for(site)
    assemble(benchmark, tmp_path, site.base, long=False)
    assert asked_for(site) == ["qid2abs.json"]


def test_long_attributes_that_there_are_none_of(site: Site, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no long attributes; leave out --long"):
        assemble(publish(site, held_out=False), tmp_path / "x", site.base, long=True)
    assert list(tmp_path.iterdir()) == []


def test_keep_keeps_them_out_of_the_readers_sight(site: Site, tmp_path: Path) -> None:
    benchmark = publish(site, held_out=True)
    assemble(benchmark, tmp_path, site.base, keep=True)
    kept = {f".download/{name}" for name in ("Small-MEL.zip", "train.json", "test.json")}
    assert names_in(tmp_path) == FILES | kept
    assert len(read_dataset(tmp_path, "auto").mentions) == 5
    assemble(benchmark, tmp_path, site.base)
    assert names_in(tmp_path) == FILES


def test_a_lost_file_is_made_again_and_no_other(site: Site, tmp_path: Path) -> None:
    benchmark = publish(site, held_out=True)
    assemble(benchmark, tmp_path, site.base)
    for lost, wanted in [
        ("splits.json", ["train.json", "test.json"]),
        ("Small-MEL.json", ["Small-MEL.zip"]),
        ("qid2ne.json", ["qid2ne.json"]),
        (".download.json", ["Small-MEL.zip", "train.json", "test.json"]),
    ]:
        site.log.clear()
        (tmp_path / lost).unlink()
        assert assemble(benchmark, tmp_path, site.base)
        assert asked_for(site) == wanted
        assert names_in(tmp_path) == FILES


@pytest.mark.parametrize("name", ["Small-MEL.json", "qid2abs.json", "splits.json"])
@pytest.mark.parametrize("was_complete", [True, False])
def test_a_file_of_the_users_own_is_not_written_over(
    site: Site, tmp_path: Path, name: str, was_complete: bool
) -> None:
    benchmark = publish(site, held_out=True)
    if was_complete:
        assemble(benchmark, tmp_path, site.base)
    before = names_in(tmp_path)
    (tmp_path / name).write_text('{"mine": 1}')
    with pytest.raises(DataError, match=rf"{name}: is another file than the published one; move"):
        assemble(benchmark, tmp_path, site.base)
    assert (tmp_path / name).read_text() == '{"mine": 1}'
    visible = {found for found in names_in(tmp_path) if not found.startswith(".download/")}
    assert visible == before | {name}


def test_a_wrong_file_leaves_the_folder_without_a_data_set(site: Site, tmp_path: Path) -> None:
    wrong = {AT.names: [tricks.other_file(b"{}")]}
    benchmark = publish(site, held_out=True, tricks=wrong)
    with pytest.raises(DataError, match=r"qid2ne\.json: not the published file"):
        assemble(benchmark, tmp_path, site.base)
    assert not list(tmp_path.glob("[!.]*"))
    assert asked_for(site)[-1] == "qid2ne.json"
    assemble(benchmark, tmp_path, site.base)
    assert asked_for(site) == ["qid2ne.json", "train.json", "test.json"]
    assert names_in(tmp_path) == FILES


@pytest.mark.parametrize("members", [("a.json", "b.json"), ("../a.json",), ("a.txt",)])
def test_a_bad_archive_leaves_the_folder_without_a_data_set(
    site: Site, tmp_path: Path, members: tuple[str, ...]
) -> None:
    source = site.publish(AT.records, zipped_records(*members))
    benchmark = dataclasses.replace(publish(site, held_out=False), records=source)
    site.files[f"/{source.repository}/{source.commit}/{AT.records}"] = zipped_records(*members)
    with pytest.raises(DataError, match=r"Small-MEL\.zip: "):
        assemble(benchmark, tmp_path / "set", site.base)
    assert not list((tmp_path / "set").glob("[!.]*"))
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


def test_two_runs_at_once_share_one_download(
    site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    both_started = threading.Event()

    def wait_for_the_other(handler: Handler, content: bytes) -> None:
        assert both_started.wait(20)
        handler.serve(content)

    benchmark = publish(site, held_out=True, tricks={AT.records: [wait_for_the_other]})
    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(assemble, benchmark, tmp_path, site.base) for _ in range(2)]
        for _ in range(2000):
            if "waits for another download" in capsys.readouterr().err:
                break
            threading.Event().wait(0.01)
        both_started.set()
        assert sorted(run.result() for run in runs) == [False, True]
    asked = asked_for(site)
    assert len(asked) == len(set(asked)) == 5
    assert names_in(tmp_path) == FILES


def test_the_lock_of_a_killed_run_is_no_hindrance(site: Site, tmp_path: Path) -> None:
    (tmp_path / ".download.lock").touch()
    assemble(publish(site, held_out=True), tmp_path, site.base)
    assert names_in(tmp_path) == FILES


@pytest.mark.parametrize("content", ["[]", '{"a": 1}'])
def test_a_spoilt_receipt_is_named(site: Site, tmp_path: Path, content: str) -> None:
    (tmp_path / ".download.json").write_text(content)
    with pytest.raises(
        DataError, match=r"\.download\.json: isn't what this command writes; remove"
    ):
        assemble(publish(site, held_out=True), tmp_path, site.base)


def test_the_receipt_tells_nothing_of_time_or_place(site: Site, tmp_path: Path) -> None:
    benchmark = publish(site, held_out=True)
    for name in "ab":
        assemble(benchmark, tmp_path / name, site.base)
    first, second = ((tmp_path / name / ".download.json").read_text() for name in "ab")
    assert first == second
    assert site.base not in first
    assert str(tmp_path) not in first


def test_a_cut_is_mended_within_the_run(site: Site, tmp_path: Path) -> None:
    cut = {path: [tricks.cut_after(10)] for path in (AT.records, AT.train, AT.names)}
    benchmark = publish(site, held_out=True, tricks=cut)
    assemble(benchmark, tmp_path, site.base, patience=NO_WAIT)
    assert names_in(tmp_path) == FILES
