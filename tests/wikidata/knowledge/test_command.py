"""The command: options in, tables and counts out, one-line complaints."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mmoe.errors import WikidataError

from tests.imports import ROOT
from tests.wikidata.cli import run as command
from tests.wikidata.knowledge.world import rows, write_dump

SAMPLE = ROOT / "data" / "raw" / "sample"


def run(*arguments: object) -> int:
    return command("kb", "build", *arguments)


def test_a_kb_of_kinds_and_its_counts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dump, out = write_dump(tmp_path / "dump.json"), tmp_path / "kb"
    assert run(dump, out, "--kinds", "Q515, Q5", "--properties", "P31,P17") == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{out}/entities.jsonl: 3 entities",
        "  chosen: 3",
        "  left out: disambiguation page: 2",
        "  left out: no item: 5",
        "  left out: of another kind: 5",
        "  left out: without a label in the languages: 1",
        "  labels missing: 1",
        "  property names of our own: 1",
        "  without image: 2",
        "  values left out: value whose label is missing: 1",
    ]
    assert json.loads((out / "kb.json").read_text("utf-8"))["counts"]["without attributes"] == 0


def test_surnames_by_their_tokens(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dump, out = write_dump(tmp_path / "dump.json"), tmp_path / "kb"
    (tmp_path / "names.txt").write_text("TESTWELL\nAda Ben\n")
    options = ("--names", tmp_path / "names.txt", "--match")
    with pytest.raises(WikidataError, match="no item is chosen"):
        run(dump, out, *options, "exact")
    assert run(dump, out, *options, "tokens") == 0
    assert [row["qid"] for row in rows(out / "entities.jsonl")] == ["Q900001"]
    assert "  names without an item: 1" in capsys.readouterr().out.splitlines()
    assert json.loads((out / "kb.json").read_text("utf-8"))["choice"]["match"] == "tokens"


def test_what_is_there_stays_unless_one_says_replace(tmp_path: Path) -> None:
    dump = write_dump(tmp_path / "dump.json")
    (tmp_path / "entities.csv").write_text("qid,name\n")
    with pytest.raises(WikidataError, match=r"entities\.csv: is there already; add --replace"):
        run(dump, tmp_path, "--kinds", "Q5")
    assert not (tmp_path / "entities.jsonl").exists()
    (tmp_path / "entities.csv").unlink()
    assert run(dump, tmp_path, "--kinds", "Q5") == 0
    before = (tmp_path / "entities.jsonl").read_bytes()
    with pytest.raises(WikidataError, match=r"entities\.jsonl: is there already"):
        run(dump, tmp_path, "--kinds", "Q515")
    assert (tmp_path / "entities.jsonl").read_bytes() == before
    assert run(dump, tmp_path, "--kinds", "Q515", "--replace") == 0
    assert (tmp_path / "entities.jsonl").read_bytes() != before


@pytest.mark.parametrize("written", ["entities.jsonl", "items.jsonl", "kb.json"])
def test_a_run_that_is_killed_while_it_writes_is_repeated_without_replace(
    written: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dump, calm, out = write_dump(tmp_path / "dump.json"), tmp_path / "calm", tmp_path / "kb"
    assert run(dump, calm, "--kinds", "Q5", "--with-slice") == 0
    rename = Path.replace

    class Killed(BaseException):
        """Stands in for a kill."""

    def dies(self: Path, target: Path) -> Path:
        if Path(target).name == written:
            raise Killed
        return rename(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", dies)
        with pytest.raises(Killed):
            run(dump, out, "--kinds", "Q5", "--with-slice")
    assert not (out / "kb.json").exists()
    assert run(dump, out, "--kinds", "Q5", "--with-slice") == 0
    names = [path.name for path in sorted(calm.iterdir())]
    assert [path.name for path in sorted(out.iterdir())] == names
    for name in names:
        assert (out / name).read_bytes() == (calm / name).read_bytes()


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--kinds", "Q5,human"], "--kinds Q5,human: 'human' is not like Q5"),
        (
            ["--kinds", "Q5", "--languages", ","],
            "--languages: names none; name at least one, such as en",
        ),
        (["--kinds", "Q5", "--properties", "P31 P18"], "'P31 P18' is not like P31"),
        (["--kinds", "Q5", "--properties", "all,P18"], "'all' is not like P31"),
        (["--kinds", "Q5", "--without-properties", "31"], "--without-properties 31: '31' is not"),
        (["--names", "gone"], "gone: no such file"),
    ],
)
def test_a_wrong_option_is_named(tmp_path: Path, options: list[str], complaint: str) -> None:
    with pytest.raises(WikidataError, match=complaint):
        run(write_dump(tmp_path / "dump.json"), tmp_path / "kb", *options)
    assert not (tmp_path / "kb").exists()


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "kb").write_text("a file where a folder is wanted")
    with pytest.raises(WikidataError, match=r"kb.*: can't be read or written \(.*\); mend that"):
        run(write_dump(tmp_path / "dump.json"), tmp_path / "kb", "--kinds", "Q5")


def test_the_samples_own_slice(tmp_path: Path) -> None:
    mentions, entities = SAMPLE / "mentions.jsonl", SAMPLE / "entities.jsonl"
    assert run(SAMPLE / "wikidata.jsonl", tmp_path, "--names", mentions, "--qids", entities) == 0
    names = {row["qid"]: row["name"] for row in rows(tmp_path / "entities.jsonl")}
    assert names.keys() >= {row["qid"] for row in rows(entities)}
    assert (names["Q308"], names["Q925"]) == ("Mercury", "mercury")
