"""Items of subclasses: at any depth, through circles, and through a kill."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmoe.errors import WikidataError
from mmoe.wikidata.knowledge import build
from mmoe.wikidata.knowledge.build import build_from_dump
from mmoe.wikidata.knowledge.reading import with_subclasses
from mmoe.wikidata.knowledge.request import Choice, KbRequest

from tests.imports import ROOT
from tests.wikidata.knowledge.test_command import rows, run
from tests.wikidata.knowledge.world import entity, item_value, line, statement, unknown, write_dump


def classes(of: str, *above: Any) -> str:
    """A class, and what it states to be a subclass of."""
    values = [item_value(each) if isinstance(each, str) else each for each in above]
    return line(of, f"class {of}", claims={"P279": values})


def of_class(qid: str, kind: str) -> str:
    return line(qid, f"Bet {qid}", claims={"P31": [item_value(kind)]})


# Q515, a city, has a big city below it (Q21), and that a metropolis (Q22), which is said to be a city of
# cities: a circle. Q24 is deprecated as a city, Q25 one of which something is unknown.
CLASSES = (
    classes("Q21", "Q515"),
    of_class("Q900011", "Q22"),
    classes("Q22", "Q21"),
    classes("Q515", "Q22", "Q23"),
    of_class("Q900012", "Q23"),
    classes("Q24", statement(item_value("Q515"), "deprecated"), "Q23"),
    of_class("Q900013", "Q24"),
    classes("Q25", unknown("preferred"), "Q515"),
    of_class("Q900014", "Q25"),
)
BROKEN = (
    '{"type":"item","id":"Q26","claims":{"P279":',
    json.dumps(entity("Q27", "x") | {"claims": {"P279": {"no": "list"}}}),
    classes("Q28", {"id": "P1"}),
    '["P279"]',
)
CITIES = Choice(kinds=frozenset({"Q515"}), with_subclasses=True)


def test_items_of_subclasses_are_taken(tmp_path: Path) -> None:
    dump = write_dump(tmp_path / "dump.json", *CLASSES)
    counts = build_from_dump(str(dump), tmp_path / "kb", KbRequest(CITIES))
    found = [row["qid"] for row in rows(tmp_path / "kb" / "entities.jsonl")]
    assert found == ["Q900002", "Q900004", "Q900011"]
    assert counts["kinds with their subclasses"] == 3
    assert "items whose classes can't be read" not in counts
    receipt = json.loads((tmp_path / "kb" / "kb.json").read_text("utf-8"))
    assert receipt["counts"] == counts
    assert (receipt["choice"]["kinds"], receipt["choice"]["with_subclasses"]) == (["Q515"], True)
    build_from_dump(str(dump), tmp_path / "kb", KbRequest(Choice(kinds=CITIES.kinds)))
    assert len(rows(tmp_path / "kb" / "entities.jsonl")) == 2


def test_the_command_and_what_is_broken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dump = write_dump(tmp_path / "dump.json", *CLASSES, *BROKEN)
    assert run(dump, tmp_path / "kb", "--kinds", "Q515", "--with-subclasses") == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == f"{tmp_path}/kb/entities.jsonl: 3 entities"
    assert "  kinds with their subclasses: 3" in said
    assert "  items whose classes can't be read: 2" in said
    with pytest.raises(WikidataError, match=r"no item is chosen \(.*1 kinds with their"):
        run(dump, tmp_path / "none", "--kinds", "Q404", "--with-subclasses")


def closed_slowly(kinds: set[str], pairs: list[tuple[int, int]]) -> set[str]:
    """The obvious way: until nothing is new."""
    found = set(kinds)
    for _ in pairs:
        found |= {f"Q{below}" for below, above in pairs if f"Q{above}" in found}
    return found


NUMBERS = st.integers(1, 9)


@given(
    pairs=st.lists(st.tuples(NUMBERS, NUMBERS), max_size=24),
    kinds=st.sets(NUMBERS.map(lambda number: f"Q{number}"), min_size=1, max_size=3),
)
def test_the_closure_is_that_of_the_obvious_way(
    pairs: list[tuple[int, int]], kinds: set[str]
) -> None:
    lines = (classes(f"Q{below}", f"Q{above}").encode() for below, above in pairs)
    assert with_subclasses(lines, kinds) == (closed_slowly(kinds, pairs), 0)


KILLED_AT_THE_SECOND_READING = """
import os, signal, sys
from pathlib import Path
from mmoe.wikidata.knowledge import build
from mmoe.wikidata.knowledge.request import Choice
from mmoe.wikidata.knowledge.request import KbRequest

class Killed:
    def __init__(self, *_):
        os.kill(os.getpid(), signal.SIGKILL)

build.Chooser = Killed
choice = Choice(kinds=frozenset({"Q515"}), with_subclasses=True)
build.build_from_dump(sys.argv[1], Path(sys.argv[2]), KbRequest(choice))
"""


def test_a_killed_run_does_not_read_the_subclasses_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dump, out = write_dump(tmp_path / "dump.json", *CLASSES), tmp_path / "kb"
    command = [sys.executable, "-c", KILLED_AT_THE_SECOND_READING, str(dump), str(out)]
    assert subprocess.run(command, cwd=ROOT, capture_output=True).returncode == -signal.SIGKILL
    assert [path.name for path in out.glob(".kb-*/*")] == ["kinds.json"]

    def fail(*_: object) -> None:
        pytest.fail("the subclasses are read again")

    with monkeypatch.context() as patch:
        patch.setattr(build, "with_subclasses", fail)
        again = build_from_dump(str(dump), out, KbRequest(CITIES))
        other = KbRequest(Choice(kinds=frozenset({"Q23"}), with_subclasses=True))
        with pytest.raises(pytest.fail.Exception, match="read again"):
            build_from_dump(str(dump), out, other)
    assert again == build_from_dump(str(dump), tmp_path / "calm", KbRequest(CITIES))
    for name in ("entities.jsonl", "items.jsonl", "kb.json"):
        assert (out / name).read_bytes() == (tmp_path / "calm" / name).read_bytes()
