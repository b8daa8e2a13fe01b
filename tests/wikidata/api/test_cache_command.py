"""`python -m mmoe.wikidata cache`: what is kept, and how to forget it."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import pytest

from mmoe.errors import WikidataError
from mmoe.wikidata.api.cache import DAY, FILE, AnswerCache
from mmoe.wikidata.commands import cache

from tests.wikidata.api.test_cache import Wall


def run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    cache.add_arguments(parser)
    return cache.run(parser.parse_args(arguments))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """With two lists of hits of 30 days ago and an item of now."""
    wall = Wall()
    wall.now = time.time() - 30 * DAY
    with AnswerCache(tmp_path, 1, wall) as kept:
        kept.put("search", {"a": 1, "b": 2})
    with AnswerCache(tmp_path, 1) as kept:
        kept.put("items", {"Q1": list(range(3000))})
    monkeypatch.setenv("MMOE_CACHE", str(tmp_path))
    return tmp_path


def test_it_shows_number_size_and_age_by_kind(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run() == 0
    first, items, search = capsys.readouterr().out.splitlines()
    assert first.startswith(f"{folder / FILE}: 0.0 MB") or "MB" in first
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


def test_it_shows_what_is_old_enough(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("--older-than", "29")
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()[1:]] == ["search"]
    run("--older-than", "31")
    assert capsys.readouterr().out.splitlines()[1:] == ["no answers"]


def test_it_forgets_what_is_old_enough(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--clear", "--older-than", "29") == 0
    assert "2 answers forgotten" in capsys.readouterr().out
    with AnswerCache(folder, 1000) as kept:
        assert [kind.kind for kind in kept.kinds()] == ["items"]


def test_it_forgets_everything(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MMOE_CACHE")
    assert run("--clear", "--folder", str(folder)) == 0
    assert "3 answers forgotten" in capsys.readouterr().out
    with AnswerCache(folder, 1000) as kept:
        assert kept.kinds() == []


def test_an_empty_folder_is_left_empty(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--folder", str(tmp_path / "none"), "--clear") == 0
    assert "nothing is kept" in capsys.readouterr().out
    assert not (tmp_path / "none").exists()


def test_a_negative_age(folder: Path) -> None:
    with pytest.raises(WikidataError, match="--older-than: must not be negative, found -1"):
        run("--older-than=-1")
