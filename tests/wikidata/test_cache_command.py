"""`mmoe cache`: what is kept, and how to forget it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from mmoe.wikidata.api.cache import DAY, FILE, AnswerCache

from tests.wikidata.cli import run


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """With two lists of hits of 30 days ago and an item of now."""
    with AnswerCache(tmp_path, 1, lambda: time.time() - 30 * DAY) as kept:
        kept.put("search", {"a": 1, "b": 2})
    with AnswerCache(tmp_path, 1) as kept:
        kept.put("items", {"Q1": list(range(3000))})
    monkeypatch.setenv("MMOE_CACHE", str(tmp_path))
    return tmp_path


def test_it_shows_number_size_and_age_by_kind(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("cache") == 0
    first, items, search = capsys.readouterr().out.splitlines()
    assert first.startswith(f"{folder / FILE}: 0.")
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
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("cache", "--clear", "--older-than", "29")
    assert "2 answers forgotten" in capsys.readouterr().out
    with AnswerCache(folder, 1000) as kept:
        assert [kind.kind for kind in kept.kinds()] == ["items"]
    run("cache", "--clear", "--folder", folder)
    assert "1 answers forgotten" in capsys.readouterr().out


def test_an_empty_folder_is_left_empty(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("cache", "--folder", tmp_path / "none", "--clear")
    assert "nothing is kept" in capsys.readouterr().out
    assert not (tmp_path / "none").exists()
