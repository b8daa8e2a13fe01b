"""Encoder and matcher trained together: killed and resumed, in several processes, at rate zero."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from mmoe.errors import TrainingError

from tests.imports import ROOT
from tests.tuning.runs import new_run, state


@pytest.fixture(autouse=True)
def _one_thread() -> object:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def run_process(
    *arguments: object, rank: int | None = None, port: int = 0
) -> subprocess.Popen[str]:
    """`tests.tuning.runs` in a process, of two where it has a rank."""
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    if rank is not None:
        env |= {
            "TORCHELASTIC_RUN_ID": "test", "RANK": str(rank), "WORLD_SIZE": "2",
            "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port),
        }  # fmt: skip
    command = [sys.executable, "-m", "tests.tuning.runs", *map(str, arguments)]
    return subprocess.Popen(
        command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def test_a_killed_run_goes_on_and_ends_with_the_same_weights(
    clip: Path, raw: Path, tmp_path: Path
) -> None:
    wanted, _ = new_run(clip, raw, tmp_path / "calm")
    history = wanted.run().history
    killed = run_process(clip, raw, tmp_path / "work", "prompts", 5, tmp_path / "out")
    said, _ = killed.communicate(timeout=120)
    assert killed.returncode == -9, said
    resumed, _ = new_run(clip, raw, tmp_path / "work")
    assert resumed.run().history == history
    for name, value in state(wanted).items():
        assert torch.equal(state(resumed)[name], value), name


def test_two_processes_train_as_one(clip: Path, raw: Path, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    runs = [
        run_process(clip, raw, tmp_path / "two", "prompts", 0, tmp_path / "out", rank=r, port=port)
        for r in range(2)
    ]
    said = [run.communicate(timeout=180)[0] for run in runs]
    assert [run.returncode for run in runs] == [0, 0], said
    alone, _ = new_run(clip, raw, tmp_path / "one")
    history = alone.run().history
    found = torch.load(tmp_path / "out", weights_only=True)
    for ours, wanted in zip(found["history"], history, strict=True):
        assert ours["loss"] == pytest.approx(wanted["loss"], rel=1e-4)
    for name, value in state(alone).items():
        torch.testing.assert_close(found["state"][name], value, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("method", ["lora", "full"])
def test_at_rate_zero_the_encoder_stays_and_the_matcher_learns(
    clip: Path, raw: Path, tmp_path: Path, method: str
) -> None:
    trainer, tuned = new_run(clip, raw, tmp_path, method=method, learning_rate=0.0, min_steps=6)
    before = state(trainer)
    trainer._train_epoch(1)
    after = state(trainer)
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert moved
    assert all(name.startswith("matcher.") for name in moved)
    assert any(p.requires_grad for p in tuned.trained.parameters())


@pytest.mark.parametrize("method", ["prompts", "lora", "full"])
def test_both_learn(clip: Path, raw: Path, tmp_path: Path, method: str) -> None:
    trainer, _ = new_run(clip, raw, tmp_path, method=method, learning_rate=1e-2)
    before = state(trainer)
    trainer._train_epoch(1)
    after = state(trainer)
    moved = {n.partition(".")[0] for n in before if not torch.equal(before[n], after[n])}
    assert moved == {"matcher", "beside"}


def test_too_little_memory_says_what_to_try(
    clip: Path, raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer, _ = new_run(clip, raw, tmp_path)

    def full(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(trainer, "_add_gradients", full)
    with pytest.raises(
        TrainingError, match=r"memory for 5 mentions.*rows_at_a_time: 2.*batch_size: 2"
    ):
        trainer._train_epoch(1)
