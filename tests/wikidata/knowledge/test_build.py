"""A knowledge base from a small dump: its files to the letter, its counts, and a killed run."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmoe.datasets.findings import examine
from mmoe.errors import BusyError, WikidataError
from mmoe.wikidata.knowledge import build
from mmoe.wikidata.knowledge.build import build_from_dump
from mmoe.wikidata.knowledge.drafts import Draft
from mmoe.wikidata.knowledge.request import Choice, KbRequest
from mmoe.wikidata.knowledge.write import LOCK, most_linked
from mmoe.wikidata.work import exclusive_folder

from tests.imports import ROOT
from tests.wikidata.knowledge.world import CLASSES, LINES, line, qids, rows, write_dump

NAMES = Choice(names=frozenset({"ada testwell", "testfield", "nobody"}))


CITIES = Choice(kinds=frozenset({"Q515"}), with_subclasses=True)


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    return write_dump(tmp_path / "dump.json")


def test_the_tables_to_the_letter(dump: Path, tmp_path: Path) -> None:
    out = tmp_path / "kb"
    counts = build_from_dump(str(dump), out, KbRequest(NAMES))
    assert rows(out / "entities.jsonl") == [
        {
            "qid": "Q900001",
            "name": "Ada Testwell",
            "attributes": "Instance of: human. Occupation: painter, writer. Date of birth: 1901. "
            "Date of death: 1977-02-30.",
            "images": [],
        },
        {"qid": "Q900002", "name": "Testfield", "attributes": "Instance of: city.", "images": []},
        {"qid": "Q900004", "name": "Testfeld", "attributes": "Instance of: city.", "images": []},
    ]
    assert rows(out / "items.jsonl") == [
        {
            "qid": "Q900001",
            "description": "fictional painter",
            "image": "Ada Testwell 1901.jpg",
            "sitelinks": 2,
            "aliases": ["A. Testwell"],
        },
        {"qid": "Q900002", "description": "town", "image": None, "sitelinks": 5},
        {
            "qid": "Q900004",
            "description": None,
            "image": None,
            "sitelinks": 1,
            "aliases": ["Testfield"],
        },
    ]
    assert counts == {
        "chosen": 3,
        "names without an item": 1,
        "left out: disambiguation page": 2,
        "left out: no item": 5,
        "left out: not asked for": 6,
        "labels missing": 1,
        "property names of our own": 1,
        "entities": 3,
        "without image": 2,
        "without attributes": 0,
        "values left out: value whose label is missing": 1,
    }
    assert sorted(path.name for path in out.iterdir()) == [
        "entities.jsonl",
        "items.jsonl",
        "kb.json",
    ]
    receipt = json.loads((out / "kb.json").read_text("utf-8"))
    assert receipt["counts"] == counts
    assert receipt["dump"] == ["dump.json"]
    assert receipt["choice"] == {
        "names": 3,
        "qids": None,
        "kinds": None,
        "match": "exact",
        "with_subclasses": False,
    }


def test_the_properties_the_languages_and_the_description_are_the_users(
    dump: Path, tmp_path: Path
) -> None:
    request = KbRequest(
        Choice(kinds=frozenset({"Q5"})),
        languages=("de", "en"),
        properties=("P2048", "P106"),
        max_values=1,
        with_description=True,
    )
    build_from_dump(str(dump), tmp_path, request)
    (row,) = rows(tmp_path / "entities.jsonl")
    assert row["attributes"] == "Fictional painter. Height: 1.7 metre. Occupation: painter."


def test_without_english_our_own_property_names_are_not_used(tmp_path: Path) -> None:
    german = line("Q900006", "Bet", language="de", claims={"P361": ["Dorf"]})
    dump = write_dump(tmp_path / "d.json", german)
    counts = build_from_dump(str(dump), tmp_path / "kb", KbRequest(Choice(), languages=("de",)))
    assert [row["attributes"] for row in rows(tmp_path / "kb" / "entities.jsonl")] == ["", ""]
    assert qids(tmp_path / "kb") == ["Q900004", "Q900006"]
    assert counts["left out: without a label in the languages"] == 8
    assert counts["without attributes"] == 2
    assert counts["labels missing"] == 3
    assert counts["property names of our own"] == 0
    assert counts["values left out: value of a property whose label is missing"] == 2


def test_broken_and_repeated_lines_are_counted(tmp_path: Path) -> None:
    more = ("{nonsense", '{"id": "Q900007"}', LINES[0], "7", '{"type":"item","id":"Q"}')
    dump = write_dump(tmp_path / "d.json", *more)
    counts = build_from_dump(str(dump), tmp_path, KbRequest(NAMES))
    assert counts["entities"] == 3
    assert counts["left out: malformed JSON"] == 2
    assert counts["left out: not of the documented form"] == 2
    assert counts["left out: duplicate"] == 1


def test_the_most_linked_are_kept_in_file_order(dump: Path, tmp_path: Path) -> None:
    counts = build_from_dump(str(dump), tmp_path, KbRequest(NAMES, max_entities=2))
    assert qids(tmp_path) == ["Q900001", "Q900002"]
    assert counts["left out: beyond the most linked"] == 1
    build_from_dump(str(dump), tmp_path, KbRequest(NAMES, max_entities=1, with_slice=True))
    assert qids(tmp_path) == ["Q900002"]
    assert (tmp_path / "wikidata.jsonl").read_text("utf-8") == LINES[3] + "\n"


@given(sitelinks=st.lists(st.none() | st.integers(0, 3), max_size=12), number=st.integers(1, 14))
def test_the_most_linked_are_the_first_of_all_in_order(
    sitelinks: list[int | None], number: int
) -> None:
    drafts = [Draft(f"Q{n}", "x", None, None, links, {}) for n, links in enumerate(sitelinks, 1)]
    ordered = sorted(drafts, key=lambda draft: (-(draft.sitelinks or 0), int(draft.qid[1:])))
    assert most_linked(drafts, number) == {draft.qid for draft in ordered[:number]}


def test_the_check_of_our_own_format_accepts_it(dump: Path, tmp_path: Path) -> None:
    build_from_dump(str(dump), tmp_path, KbRequest(NAMES, with_slice=True))
    mentions = [
        {
            "mention_id": split,
            "surface_form": "Ada",
            "context": "Ada.",
            "split": split,
            "gold_qid": "Q900001",
        }
        for split in ("train", "valid", "test")
    ]
    text = "".join(json.dumps(row) + "\n" for row in mentions)
    (tmp_path / "mentions.jsonl").write_text(text, encoding="utf-8")
    findings = examine(tmp_path, "auto", 10**6)
    assert (findings.problems.lines, findings.notices.lines) == ([], [])
    assert findings.size == "format own, 3 mentions (1 train, 1 valid, 1 test), 3 entities"


def test_nothing_chosen_says_why(dump: Path, tmp_path: Path) -> None:
    request = KbRequest(Choice(qids=frozenset({"Q1"})))
    with pytest.raises(
        WikidataError,
        match=r"no item is chosen \(1 listed ids without an item; 5 left out: no item; 11",
    ):
        build_from_dump(str(dump), tmp_path / "kb", request)
    assert not (tmp_path / "kb" / "entities.jsonl").exists()
    assert list((tmp_path / "kb").iterdir()) == []


def test_what_is_no_whole_dump_is_named(dump: Path, tmp_path: Path) -> None:
    packed = write_dump(tmp_path / "dump.json.gz")
    packed.write_bytes(packed.read_bytes()[:-40])
    (tmp_path / "entities.jsonl").write_text('{"qid": "Q1", "name": "x"}\n' * 3)
    complaints = {
        "gone": r"gone: can't be read \(No such file or directory\)",
        "-": r"-: standard input can't be read twice; write it to a file first",
        str(packed): r"dump\.json\.gz: breaks off at byte \d+ \(.*\); fetch it again",
        str(tmp_path / "entities.jsonl"): "3 of the first 3 lines are no entities",
    }
    for source, complaint in complaints.items():
        with pytest.raises(WikidataError, match=complaint):
            build_from_dump(source, tmp_path / "kb", KbRequest(NAMES))


def test_a_slice_of_an_earlier_run_does_not_stay(dump: Path, tmp_path: Path) -> None:
    (tmp_path / "wikidata.jsonl").write_text("the user's own")
    build_from_dump(str(dump), tmp_path, KbRequest(NAMES))
    assert (tmp_path / "wikidata.jsonl").read_text() == "the user's own"
    build_from_dump(str(dump), tmp_path, KbRequest(NAMES, with_slice=True))
    assert len(rows(tmp_path / "wikidata.jsonl")) == 3
    build_from_dump(str(dump), tmp_path, KbRequest(NAMES))
    assert not (tmp_path / "wikidata.jsonl").exists()


KILLED = """
import os, signal, sys
from pathlib import Path
from mmoe.wikidata.knowledge import build
from mmoe.wikidata.knowledge.request import Choice, KbRequest

dump, out, moment, choice = sys.argv[1:]
setattr(build, moment, lambda *_: os.kill(os.getpid(), signal.SIGKILL))
build.build_from_dump(dump, Path(out), KbRequest(eval(choice)))
"""


@pytest.mark.parametrize(
    ("moment", "choice", "left", "not_again"),
    [
        ("_labels", NAMES, {"drafts.jsonl", "counts.json"}, "_choose"),
        ("Chooser", CITIES, {"kinds.json"}, "with_subclasses"),
    ],
)
def test_a_killed_run_reads_nothing_again(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    moment: str,
    choice: Choice,
    left: set[str],
    not_again: str,
) -> None:
    dump, out = write_dump(tmp_path / "dump.json", *CLASSES), tmp_path / "kb"
    command = [sys.executable, "-c", KILLED, str(dump), str(out), moment, repr(choice)]
    assert subprocess.run(command, cwd=ROOT, capture_output=True).returncode == -signal.SIGKILL
    assert {path.name for path in out.glob(".kb-*/*")} == left

    def fail(*_: object) -> None:
        pytest.fail("it is read again")

    with monkeypatch.context() as patch:
        patch.setattr(build, not_again, fail)
        other = KbRequest(Choice(kinds=frozenset({"Q23"}), with_subclasses=True))
        with pytest.raises(pytest.fail.Exception, match="read again"):
            build_from_dump(str(dump), out, other)
        again = build_from_dump(str(dump), out, KbRequest(choice))
    assert again == build_from_dump(str(dump), tmp_path / "calm", KbRequest(choice))
    files = ["entities.jsonl", "items.jsonl", "kb.json"]
    assert sorted(path.name for path in out.iterdir()) == files
    for name in files:
        assert (out / name).read_bytes() == (tmp_path / "calm" / name).read_bytes()


def test_another_run_in_the_folder_is_not_disturbed(dump: Path, tmp_path: Path) -> None:
    out = tmp_path / "kb"
    with (
        exclusive_folder(out, LOCK),
        pytest.raises(BusyError, match="is at work here; wait until it has finished"),
    ):
        build_from_dump(str(dump), out, KbRequest(NAMES))
    assert list(out.iterdir()) == []
