"""A killed training goes on only with what it was begun with."""

from __future__ import annotations

import os
import resource
from pathlib import Path

import pytest

from mmoe.training.state import BEST, LAST
from mmoe.training.trainer import Trainer

from pipeline.layout import Layout
from pipeline.unfinished import KEPT
from tests.pipeline.project import one_line, run
from tests.pipeline.tiny import write_params

at = Layout("tiny")


def test_a_full_disk_is_one_line_and_training_goes_on(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    undisturbed = at.model.joinpath("matcher.safetensors").read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    # The untrained matcher fits; the state of training, with the optimiser's moments, does not.
    size = at.model.joinpath("untrained.safetensors").stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 10_000, limits[1]))
    try:
        line = one_line(capsys, "train", "tiny")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    [work] = at.work("train").iterdir()
    assert line == (
        f"[Errno 27] File too large: '{work / BEST}'; finished work is kept, run again when mended"
    )
    assert at.model.joinpath("matcher.safetensors").read_bytes() == undisturbed
    run("train", "tiny")
    assert at.model.joinpath("matcher.safetensors").read_bytes() == undisturbed


def test_unfinished_trainings_with_other_settings_do_not_pile_up(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for age in range(6):
        stale = at.work("train") / f"stale-{age}"
        stale.mkdir(parents=True)
        (stale / LAST).write_bytes(bytes(100))
        os.utime(stale, (1e9 - age, 1e9 - age))
    capsys.readouterr()
    run("train", "tiny")
    left = sorted(folder.name for folder in at.work("train").iterdir())
    assert left == [f"stale-{age}" for age in range(KEPT)]
    said = [line for line in capsys.readouterr().out.splitlines() if "unfinished" in line]
    assert said == [
        f"{at.work('train')}: {6 - KEPT} unfinished trainings with other settings removed; the newest "
        f"{KEPT} are kept"
    ]


class Killed(BaseException):
    """Stands in for a kill."""


def test_other_descriptions_are_trained_from_the_start(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Texts change with rank.backend while encoder, records and knobs of training stay the same."""
    step, steps = Trainer._step, 0

    def dies(self: Trainer, *arguments: object) -> object:
        nonlocal steps
        steps += 1
        if steps == 4:
            raise Killed
        return step(self, *arguments)  # type: ignore[arg-type]

    write_params(Path("params.yaml"), runtime={"checkpoint_every": 1})
    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "_step", dies)
        with pytest.raises(Killed):
            run("train", "tiny")
    left = set(at.work("train").iterdir())
    write_params(Path("params.yaml"), rank={"backend": "none"}, runtime={"checkpoint_every": 1})
    run("rank", "tiny")
    run("encode", "tiny")
    run("train", "tiny")
    assert set(at.work("train").iterdir()) == left  # not touched: it belongs to the other texts
    begun_anew = at.model.joinpath("matcher.safetensors").read_bytes()
    run("train", "tiny")
    assert at.model.joinpath("matcher.safetensors").read_bytes() == begun_anew
