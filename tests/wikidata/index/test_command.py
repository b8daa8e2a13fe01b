"""The command line: its options, what it prints, and how it ends."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import pytest

from mmoe.errors import WikidataError
from mmoe.files import read_json
from mmoe.wikidata.commands import index
from mmoe.wikidata.index.request import PAGES

from tests.wikidata.index.dumps import entity, write_dump

LINES = [
    entity("Q1", "Ada", ["Q5"], aliases={"de": [{"value": "Adele"}]}),
    entity("Q2", "Ada", ["Q4167410"]),
    entity("Q3", labels={"de": {"value": "Berg"}}),
    b"{",
]


def run(*arguments: object) -> int:
    parser = argparse.ArgumentParser()
    index.add_arguments(parser)
    return index.run(parser.parse_args([str(argument) for argument in arguments]))


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    return write_dump(tmp_path / "dump.json", LINES)


def source_of(dump: Path, *options: object) -> dict[str, Any]:
    out = dump.parent / "out"
    assert run(dump, out, "--processes", 1, *options) == 0
    source: dict[str, Any] = read_json(out / "source.json")
    return source


def test_the_counts_are_printed(dump: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(dump, dump.parent / "out", "--processes", 1) == 0
    printed = capsys.readouterr()
    assert printed.out.splitlines() == [
        f"{dump.parent / 'out'}: 1 items, 1 names",
        "  4 lines with entities read",
        "  1 kept",
        "  1 skipped: disambiguation page",
        "  1 skipped: malformed JSON",
        "  1 skipped: no name in the languages",
        "    dump.json, line 5: malformed JSON (unexpected end of data: line 1 column 2 (char 1))",
    ]
    assert printed.err == ""


def test_a_missing_end_is_noted(dump: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dump.write_bytes(dump.read_bytes().removesuffix(b"]\n"))
    assert run(dump, dump.parent / "out", "--processes", 1) == 0
    assert "dump.json begins with [ and does not end with ]" in capsys.readouterr().err


def test_the_defaults(dump: Path) -> None:
    source = source_of(dump)
    assert source["languages"] == ["en"]
    assert source["drop_kinds"] == list(PAGES)
    assert source["keep_kinds"] == []


def test_languages_and_kinds_are_lists(dump: Path) -> None:
    source = source_of(dump, "--languages", "en, de", "--drop-kinds", "", "--keep-kinds", "Q5,")
    assert source["languages"] == ["en", "de"]
    assert (source["drop_kinds"], source["keep_kinds"]) == ([], ["Q5"])
    assert (source["items"], source["names"]) == (1, 2)
    assert source["skipped"] == {"malformed JSON": 1, "not of the kinds kept": 2}


def test_the_work_folder_is_used(dump: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("mmoe.wikidata.index.build.merge_chunks", stopped)
    work = dump.parent / "work"
    assert run(dump, dump.parent / "out", "--processes", 1, "--work", work) == 130
    assert [path.name for path in next(work.iterdir()).iterdir()]
    assert not list((dump.parent / "out").iterdir())


def test_a_stopped_run_says_how_to_go_on(
    dump: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped(*arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("mmoe.wikidata.index.build.merge_chunks", stopped)
        assert run(dump, dump.parent / "out", "--processes", 1) == 130
    assert capsys.readouterr().err == "stopped; the same command goes on from what is done\n"
    assert run(dump, dump.parent / "out", "--processes", 1) == 0
    assert "  4 lines with entities read, 4 of them by an earlier run" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--processes", 0), "--processes 0: must be 1 or more"),
        (("--keep-kinds", "human"), "--keep-kinds: 'human' is no item"),
        (("--languages", ","), "--languages: names none"),
    ],
)
def test_a_wrong_option_is_named(dump: Path, options: tuple[object, ...], complaint: str) -> None:
    with pytest.raises(WikidataError, match=complaint):
        run(dump, dump.parent / "out", *options)
