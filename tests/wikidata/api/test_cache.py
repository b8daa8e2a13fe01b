"""Answers on disk: found again by all processes, never half of one; `mmoe cache` shows and forgets them."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mmoe.errors import WikidataError
from mmoe.wikidata.api.cache import DAY, FILE, AnswerCache

from tests.imports import ROOT
from tests.wikidata.cli import run

WRITER = """
import sys
from pathlib import Path
from mmoe.wikidata.api.cache import AnswerCache
for number in range(60):
    with AnswerCache(Path(sys.argv[1]), 1) as cache:
        cache.put("search", {f"{sys.argv[2]}-{number}": {"n": number}, "shared": {"by": sys.argv[2]}})
"""


def test_what_was_kept_is_found_by_the_next(tmp_path: Path) -> None:
    with AnswerCache(tmp_path, 1) as cache:
        cache.put("search", {"a": {"hits": ["Q1"]}, "b": {}})
        cache.put("names", {"a": {"é": "名"}})
    with AnswerCache(tmp_path, 1) as cache:
        assert cache.get("search", ["a", "b", "c"]) == {"a": {"hits": ["Q1"]}, "b": {}}
        assert cache.get("names", ["a", "b"]) == {"a": {"é": "名"}}
        assert cache.get("items", ["a"]) == {}
        assert cache.get("search", []) == {}
        cache.put("search", {"a": {"hits": []}})
        assert cache.get("search", ["a"]) == {"a": {"hits": []}}


def test_processes_share_one_file(tmp_path: Path) -> None:
    """Both open, write and close it sixty times; none is refused and nothing is lost."""
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), name], cwd=ROOT)
        for name in ("one", "two")
    ]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    with AnswerCache(tmp_path, 1) as cache:
        keys = [f"{name}-{number}" for name in ("one", "two") for number in range(60)]
        assert len(cache.get("search", keys)) == 120
        assert cache.get("search", ["shared"])["shared"]["by"] in ("one", "two")


def test_a_full_disk_is_told_and_leaves_the_rest_in_order(tmp_path: Path) -> None:
    large = {str(number): list(range(number, number + 4000)) for number in range(40)}
    with AnswerCache(tmp_path, 1) as cache:
        cache.put("k", {"a": 1})
        cache._database.execute("PRAGMA max_page_count = 20")
        with pytest.raises(WikidataError, match=r"can't be used \(.*full\); make room on the disk"):
            cache.put("k", large)
        assert cache.get("k", ["a", *large]) == {"a": 1}
        cache.put("k", {"b": 2})
    with AnswerCache(tmp_path, 1) as cache:
        assert cache.get("k", ["a", "b", *large]) == {"a": 1, "b": 2}


def test_a_file_that_is_no_cache(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"not a database, though long enough to look like one" * 20)
    with pytest.raises(
        WikidataError, match=rf"{FILE}: can't be used \(.*\); .* delete it"
    ) as caught:
        AnswerCache(tmp_path, 1)
    assert "\n" not in str(caught.value)


def test_a_file_of_another_version(tmp_path: Path) -> None:
    AnswerCache(tmp_path, 1).close()
    with sqlite3.connect(tmp_path / FILE) as database:
        database.execute("PRAGMA user_version = 7")
    database.close()
    with pytest.raises(WikidataError, match="of version 7, this program knows 1; delete it"):
        AnswerCache(tmp_path, 1)


def test_a_folder_that_may_not_be_written(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a file where a folder is wanted")
    with pytest.raises(WikidataError, match=r"can't be written .*MMOE_CACHE"):
        AnswerCache(tmp_path / "a", 1)


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """With two lists of hits of 30 days ago and an item of now."""
    with AnswerCache(tmp_path, 1, lambda: time.time() - 30 * DAY) as cache:
        cache.put("search", {"a": 1, "b": 2})
    with AnswerCache(tmp_path, 1) as cache:
        cache.put("items", {"Q1": list(range(3000))})
    monkeypatch.setenv("MMOE_CACHE", str(tmp_path))
    return tmp_path


def test_it_shows_number_size_and_age_by_kind(
    kept: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("cache") == 0
    first, items, search = capsys.readouterr().out.splitlines()
    assert first.startswith(f"{kept / FILE}: 0.")
    assert items.split() == [
        "items",
        "1",
        "answers",
        "0.0",
        "MB",
        "0.0",
        "to",
        "0.0",
        "days",
        "old",
    ]
    assert search.split()[:3] == ["search", "2", "answers"]
    assert search.endswith("30.0 to 30.0 days old")
    run("cache", "--older-than", "29")
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()[1:]] == ["search"]
    run("cache", "--older-than", "31")
    assert capsys.readouterr().out.splitlines()[1:] == ["no answers"]


def test_it_forgets_what_is_old_enough_then_everything(
    kept: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("cache", "--clear", "--older-than", "29")
    assert "2 answers forgotten" in capsys.readouterr().out
    with AnswerCache(kept, 1000) as cache:
        assert [kind.kind for kind in cache.kinds()] == ["items"]
    run("cache", "--clear", "--folder", kept)
    assert "1 answers forgotten" in capsys.readouterr().out


def test_an_empty_folder_is_left_empty(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("cache", "--folder", tmp_path / "none", "--clear")
    assert "nothing is kept" in capsys.readouterr().out
    assert not (tmp_path / "none").exists()
