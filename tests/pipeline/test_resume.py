"""A killed training goes on only with what it was begun with."""

from __future__ import annotations

from pathlib import Path

import pytest

from mmoe.training.trainer import Trainer

from pipeline.layout import Layout
from tests.pipeline.project import run
from tests.pipeline.tiny import write_params

at = Layout("tiny")


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
