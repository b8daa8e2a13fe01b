"""A seeded run repeats to the bit, and a killed one ends as an undisturbed one does."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import torch
from torch import Tensor

from mmoe.linking.data import LinkingData
from mmoe.model.matcher import Matcher
from mmoe.training.state import Progress

from tests.imports import ROOT
from tests.stores import Toy, write_store
from tests.training.runs import Heard, die_before_step, new_trainer, outcome

Outcome = tuple[Progress, dict[str, Tensor]]


class Undisturbed(NamedTuple):
    """A run that nothing disturbed, what its listener heard, and the folder that it left."""

    outcome: Outcome
    heard: Heard
    work: Path


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """As in the process that is killed: sums in another order differ in their last bits."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def undisturbed(
    one_thread: None, data: LinkingData, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Undisturbed]:
    """One run for each precision."""
    runs = {}
    for precision in ("float32", "bfloat16"):
        heard, work = Heard(), tmp_path_factory.mktemp(precision)
        trainer = new_trainer(data, work, listener=heard, precision=precision)
        runs[precision] = Undisturbed(outcome(trainer), heard, work)
    return runs


@pytest.fixture(scope="module")
def wanted(undisturbed: dict[str, Undisturbed]) -> Outcome:
    return undisturbed["float32"].outcome


class Killed(BaseException):
    """Stands in for a kill."""


def kill() -> None:
    raise Killed


def assert_same(found: Outcome, wanted: Outcome) -> None:
    """Equal to the last bit: weights, history, best epoch."""
    assert found[0] == wanted[0]
    assert list(found[1]) == list(wanted[1])
    for name, value in wanted[1].items():
        assert torch.equal(found[1][name], value), name


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_seeded_run_repeats_to_the_bit(
    data: LinkingData, tmp_path: Path, undisturbed: dict[str, Undisturbed], precision: str
) -> None:
    wanted = undisturbed[precision].outcome
    assert_same(outcome(new_trainer(data, tmp_path, precision=precision)), wanted)
    assert wanted[0].step == 12


def test_another_seed_is_another_run(data: LinkingData, tmp_path: Path, wanted: Outcome) -> None:
    progress, _ = outcome(new_trainer(data, tmp_path, seed=44))
    assert progress.history != wanted[0].history


@pytest.mark.parametrize(("step", "precision"), [(1, "float32"), (5, "bfloat16"), (12, "float32")])
def test_a_killed_run_ends_as_an_undisturbed_one(
    data: LinkingData,
    tmp_path: Path,
    undisturbed: dict[str, Undisturbed],
    step: int,
    precision: str,
) -> None:
    wanted, heard, _ = undisturbed[precision]
    killed, told = new_trainer(data, tmp_path, precision=precision), Heard()
    die_before_step(killed, step, kill)
    with pytest.raises(Killed):
        killed.run()
    resumed = new_trainer(data, tmp_path, listener=told, precision=precision)
    assert_same(outcome(resumed), wanted)
    assert told.records == heard.records


def test_a_run_killed_again_and_again_ends_as_an_undisturbed_one(
    data: LinkingData, tmp_path: Path, wanted: Outcome
) -> None:
    for _ in range(3):
        killed = new_trainer(data, tmp_path)
        die_before_step(killed, 3, kill)
        with pytest.raises(Killed):
            killed.run()
    assert_same(outcome(new_trainer(data, tmp_path)), wanted)


def test_a_run_killed_in_validation_repeats_at_most_the_steps_since_the_checkpoint(
    data: LinkingData, tmp_path: Path, wanted: Outcome
) -> None:
    killed = new_trainer(data, tmp_path)
    mrr_of, calls = killed.mrr_of, 0

    def dying(matcher: Matcher, mentions: Tensor) -> float:
        nonlocal calls
        calls += 1
        if calls == 3:  # of the untrained matcher, of epoch 1, of epoch 2
            kill()
        return mrr_of(matcher, mentions)

    killed.mrr_of = dying
    with pytest.raises(Killed):
        killed.run()
    resumed = new_trainer(data, tmp_path)
    # Epoch 2's four steps are all in the checkpoint; only epoch 3's are left.
    die_before_step(resumed, 5, kill)
    assert_same(outcome(resumed), wanted)


def test_a_finished_run_started_again_takes_no_step(
    data: LinkingData, tmp_path: Path, undisturbed: dict[str, Undisturbed]
) -> None:
    wanted, _, finished = undisturbed["float32"]
    shutil.copytree(finished, tmp_path / "work")
    again = new_trainer(data, tmp_path / "work")
    die_before_step(again, 1, kill)
    assert_same(outcome(again), wanted)


def test_kill_9_in_the_middle_of_an_epoch(
    data: LinkingData, tmp_path: Path, wanted: Outcome
) -> None:
    words = [str(write_store(tmp_path / "store", Toy())), str(tmp_path / "work"), "8"]
    died = subprocess.run(
        [sys.executable, "-m", "tests.training.runs", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert died.returncode == -signal.SIGKILL, died.stderr
    resumed = new_trainer(data, tmp_path / "work")
    die_before_step(resumed, 7, kill)  # step 7 was lost, 7 to 12 are left
    assert_same(outcome(resumed), wanted)
