"""`mmoe label-index`: its options, what it prints, and how it ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from mmoe.errors import WikidataError
from mmoe.files import read_json
from mmoe.wikidata.selection import PAGES

from tests.wikidata.cli import run
from tests.wikidata.index.dumps import entity, write_dump

LINES = [
    entity("Q1", "Ada", ["Q5"], aliases={"de": [{"value": "Adele"}]}),
    entity("Q2", "Ada", ["Q4167410"]),
    entity("Q3", labels={"de": {"value": "Berg"}}),
    b"{",
]


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    return write_dump(tmp_path / "dump.json", LINES)


def test_the_counts_are_printed_and_a_missing_end_is_noted(
    dump: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = dump.parent / "out"
    assert run("label-index", dump, out, "--processes", 1) == 0
    printed = capsys.readouterr()
    assert printed.out.splitlines() == [
        f"{out}: 1 items, 1 names",
        "  4 lines with entities read",
        "  1 kept",
        "  1 skipped: disambiguation page",
        "  1 skipped: malformed JSON",
        "  1 skipped: no name in the languages",
        "    dump.json, line 5: malformed JSON (unexpected end of data: line 1 column 2 (char 1))",
    ]
    assert printed.err == ""
    source = read_json(out / "source.json")
    assert (source["languages"], source["drop_kinds"]) == (["en"], list(PAGES))
    dump.write_bytes(dump.read_bytes().removesuffix(b"]\n"))
    run("label-index", dump, out, "--processes", 1)
    assert "dump.json begins with [ and does not end with ]" in capsys.readouterr().err


def test_source_json_says_what_the_index_was_built_from(dump: Path) -> None:
    options = ("--languages", "en, de", "--drop-kinds", "", "--keep-kinds", "Q5,")
    run("label-index", dump, dump.parent / "out", "--processes", 1, *options)
    assert read_json(dump.parent / "out" / "source.json") == {
        "file": "dump.json",
        "files": 1,
        "bytes": dump.stat().st_size,
        "languages": ["en", "de"],
        "drop_kinds": [],
        "keep_kinds": ["Q5"],
        "lines": 4,
        "kept": 1,
        "skipped": {"malformed JSON": 1, "not of the kinds kept": 2},
        "broken_lines": [
            "dump.json, line 5: malformed JSON (unexpected end of data: line 1 column 2 (char 1))"
        ],
        "items": 1,
        "names": 2,
    }


def test_a_stopped_run_keeps_its_work_where_it_was_told(
    dump: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped(*arguments: object) -> None:
        raise KeyboardInterrupt

    out, work = dump.parent / "out", dump.parent / "work"
    command = ("label-index", dump, out, "--processes", 1, "--work", work)
    with monkeypatch.context() as patch:
        patch.setattr("mmoe.wikidata.index.build.merge_chunks", stopped)
        assert run(*command) == 130
    assert list(next(work.iterdir()).iterdir())
    assert not list(out.iterdir())
    assert run(*command) == 0
    assert "  4 lines with entities read, 4 of them by an earlier run" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--languages", ""), "--languages: names none"),
        (("--drop-kinds", "human"), "--drop-kinds human: 'human' is not like Q5"),
        (("--keep-kinds", "P31"), "--keep-kinds P31: 'P31' is not like Q5"),
        (("--drop-kinds", "Q5,Q1", "--keep-kinds", "Q5"), "Q5 stands under --drop-kinds and --ke"),
    ],
)
def test_a_wrong_option_is_named(dump: Path, options: tuple[str, ...], complaint: str) -> None:
    with pytest.raises(WikidataError, match=complaint):
        run("label-index", dump, dump.parent / "out", *options)
