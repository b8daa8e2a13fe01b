"""A few trials of what is cheap; and that a campaign finds, remembers and goes on."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.campaign import worker
from tests.campaign.attack import Attack, Finding, Trial, found
from tests.campaign.bench import Bench, contents, must_equal
from tests.campaign.book import Book
from tests.campaign.kills import Kill
from tests.campaign.mutations import SpoiltFile
from tests.campaign.process import At, call
from tests.campaign.readers import readers
from tests.campaign.runner import campaign
from tests.campaign.targets import NOT_WRITING, WRITING, names_of_commands, stages

QUICK = {reader.name for reader in readers("tiny")} - {
    *("features", "weights", "bundle", "rows: convert", "dump: label-index", "dump: kb build"),
    *("tables", "raw: fissfuse"),
}


@pytest.mark.parametrize("name", sorted(QUICK))
def test_spoilt_files_are_read_or_named(name: str, built: Path, tmp_path: Path) -> None:
    attack = Attack("mutated file", name, 0, SpoiltFile(built, "tiny", name).run)
    assert [found(attack, number, 1, tmp_path / "trial") for number in range(20)] == [None] * 20


def test_a_killed_stage_ends_as_an_undisturbed_one(built: Path, tmp_path: Path) -> None:
    bench = Bench(tmp_path, "tiny", built)
    (target,) = (target for target in bench.targets if target.name == "stage ingest")
    attack = Attack("kill", target.name, 0, Kill(bench, target).run)
    assert [found(attack, number, 1, tmp_path / "trial") for number in range(2)] == [None] * 2


def test_every_command_is_attacked_or_writes_nothing() -> None:
    assert names_of_commands() == WRITING.keys() | NOT_WRITING.keys()


def test_every_stage_of_dvc_is_attacked() -> None:
    from pipeline.layout import STAGES

    assert [target.name for target in stages("tiny")] == [f"stage {stage}" for stage in STAGES]


@pytest.mark.parametrize(
    ("at", "left", "code"), [(None, "abc", 0), (At(seam=3), "ab", -9), (At(None, seam=2), "a", 1)]
)
def test_of_changes_to_the_disk_those_before_the_wanted_one_are_made(
    at: At | None, left: str, code: int, tmp_path: Path
) -> None:
    (tmp_path / "root").mkdir()
    work = "from pathlib import Path; [Path(name).write_text(name) for name in 'abc']"
    command = ("timeit", "-n", "1", "-r", "1", work)
    done = call(command, tmp_path / "root", tmp_path / "streams", at)
    assert done.code == code
    assert "".join(path.name for path in sorted((tmp_path / "root").iterdir())) == left
    assert done.seams == [f"open {name}" for name in "abc"[: (at and at.seam) or 3]]


def _nothing(_: Trial) -> None:
    """All is well."""


def _odd_numbers_are_found(trial: Trial) -> None:
    assert not list(trial.folder.iterdir())
    (trial.folder / "x").write_text("left for nobody")
    if trial.rng.randrange(10**6) % 2:
        raise Finding("odd")


def _never_ends(_: Trial) -> None:
    time.sleep(1000)


def _dies(_: Trial) -> None:
    os._exit(3)


def _takes_memory(_: Trial) -> None:
    held = []
    while True:
        held.append(bytearray(20 << 20))
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("run", "finding"),
    [
        (_never_ends, "hangs for more than 1 s"),
        (_dies, "the process dies of exit code 3"),
        (_takes_memory, "takes more than 0 GB of memory"),
    ],
)
def test_what_a_trial_does_to_its_process_is_found(
    run: Callable[[Trial], None],
    finding: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    attacks = [Attack("a", "x", 1, run, True), Attack("b", "y", 1, _nothing, True)]
    with worker.Worker(attacks, 0, tmp_path / "scratch") as process:
        with monkeypatch.context() as patch:
            patch.setattr(worker, "LOADING", 1.0)
            patch.setattr(worker, "MEMORY", 50 << 20)
            assert process.found(attacks[0], 0) == finding
        assert process.found(attacks[1], 0) is None


def test_a_campaign_goes_on_where_it_was_and_tells_what_it_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    attacks = [Attack("a", "x", 12, _odd_numbers_are_found), Attack("b", "y", 3, _nothing)]
    seeded = [attacks[0].seeded(7, number).randrange(10**6) % 2 for number in range(12)]
    file = tmp_path / "book.jsonl"
    campaign(attacks, Book(file), 7, tmp_path, until=0)  # no time at all
    assert Book(file).entries == []
    campaign(attacks, Book(file), 7, tmp_path, until=time.monotonic() + 60)
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join(lines[:7]) + lines[7][:9])  # killed while it wrote
    campaign(attacks, Book(file), 7, tmp_path, until=time.monotonic() + 60)
    book = Book(file)
    assert [{**json.loads(new), "seconds": 0} for new in file.read_text().splitlines()] == [
        {**json.loads(old), "seconds": 0} for old in lines
    ]
    assert [e.number for e in book.findings()] == [n for n, is_odd in enumerate(seeded) if is_odd]
    assert f"| a | 1 | 12 | {sum(seeded)} |" in book.table()
    assert f"{sum(seeded)} × a: x, trial " in book.table()


def test_other_and_lost_files_are_found(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/a").write_text("a")
    wanted = contents(tmp_path)
    must_equal(tmp_path, wanted, "calm")
    (tmp_path / ".mmoe").mkdir()
    (tmp_path / ".mmoe/kept").write_text("is no out")
    must_equal(tmp_path, wanted, "calm")
    (tmp_path / "data/.b.tmp").write_text("")
    with pytest.raises(Finding, match=r"files are left over: data/\.b\.tmp"):
        must_equal(tmp_path, wanted, "then")
    (tmp_path / "data/.b.tmp").unlink()
    (tmp_path / "data/a").write_text("b")
    with pytest.raises(Finding, match="files differ: data/a"):
        must_equal(tmp_path, wanted, "then")
    (tmp_path / "data/a").unlink()
    with pytest.raises(Finding, match="files are lost: data/a"):
        must_equal(tmp_path, wanted, "then")
