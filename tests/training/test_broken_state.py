"""A state that can't be used is named and set aside, and training ends as an undisturbed one does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from mmoe.linking.data import LinkingData
from mmoe.tensor_files import read_tensors, write_tensors
from mmoe.training.state import BEST, BROKEN, LAST

from tests.training.runs import die_before_step, new_trainer, outcome

Spoil = Callable[[Path], None]


class Killed(BaseException):
    """Stands in for a kill."""


def kill() -> None:
    raise Killed


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-50] ^= 4
    path.write_bytes(bytes(content))


def spoil_header(path: Path) -> None:
    path.write_bytes(b"\xff" * 8 + path.read_bytes()[8:])


def put_nan(path: Path) -> None:
    about, tensors = read_tensors(path)
    next(iter(tensors.values())).view(-1)[0] = torch.nan
    write_tensors(path, tensors, about)


def lose_a_key(path: Path) -> None:
    about, tensors = read_tensors(path)
    write_tensors(path, tensors, {**about, "unknown": 1})


def lose_a_tensor(path: Path) -> None:
    about, tensors = read_tensors(path)
    write_tensors(path, dict(list(tensors.items())[1:]), about)


@pytest.fixture
def killed(data: LinkingData, tmp_path: Path) -> Path:
    """What a run leaves that was killed in its second epoch."""
    trainer = new_trainer(data, tmp_path / "work", checkpoint_every=1)
    die_before_step(trainer, 7, kill)
    with pytest.raises(Killed):
        trainer.run()
    return tmp_path / "work"


@pytest.fixture(scope="module")
def wanted(data: LinkingData, tmp_path_factory: pytest.TempPathFactory) -> dict[str, torch.Tensor]:
    return outcome(new_trainer(data, tmp_path_factory.mktemp("whole")))[1]


@pytest.mark.parametrize(
    ("name", "spoil", "said"),
    [
        (LAST, cut, "not a whole safetensors file"),
        (LAST, flip, "not what was written"),
        (LAST, spoil_header, "not a whole safetensors file"),
        (LAST, put_nan, "is not finite"),
        (LAST, lose_a_key, "unexpected keyword"),
        (LAST, lose_a_tensor, "the state of another training"),
        (BEST, flip, "not what was written"),
    ],
)
def test_it_is_set_aside_and_training_goes_on(
    data: LinkingData,
    killed: Path,
    wanted: dict[str, torch.Tensor],
    capsys: pytest.CaptureFixture[str],
    name: str,
    spoil: Spoil,
    said: str,
) -> None:
    spoil(killed / name)
    found = outcome(new_trainer(data, killed))[1]
    first, second = capsys.readouterr().err.splitlines()
    assert said in first
    assert first.endswith(f"{killed / name} is set aside as {name}{BROKEN}")
    how = "begins anew" if name == BEST else f"goes on from {BEST}, step"
    assert second.startswith(f"{killed}: ")
    assert how in second
    assert (killed / f"{name}{BROKEN}").exists()
    assert all(torch.equal(found[key], value) for key, value in wanted.items())


def test_a_state_without_the_best_weights_begins_anew(
    data: LinkingData,
    killed: Path,
    wanted: dict[str, torch.Tensor],
    capsys: pytest.CaptureFixture[str],
) -> None:
    (killed / BEST).unlink()
    found = outcome(new_trainer(data, killed))[1]
    assert "begins anew" in capsys.readouterr().err
    assert all(torch.equal(found[key], value) for key, value in wanted.items())
