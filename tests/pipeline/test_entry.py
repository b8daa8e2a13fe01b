"""How every stage starts and ends: parameters first, one line for a mistake, a trace for a bug."""

from __future__ import annotations

import errno
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mmoe.errors import DataError

from pipeline.stage import exit_on_mistake
from tests.config.sheets import edited
from tests.imports import ROOT
from tests.pipeline.project import DONE, STAGES, arguments_of, contents, failed, one_line, run

# The command, up to where it loads what it needs.
COMMAND = """
import sys, mmoe.__main__
sys.modules["mmoe.cli"] = None
try:
    mmoe.__main__.main()
except ImportError:
    pass
"""


@pytest.mark.parametrize("stage", ["ingest", "encode"])
def test_illegal_parameters_stop_a_stage_before_it_reads(
    stage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """top_k is no knob of ingest; still ingest is where a run of hours must stop."""
    edited(tmp_path, "moe:\n  num_experts: 4", "moe:\n  num_experts: 2")
    monkeypatch.chdir(tmp_path)
    line = one_line(capsys, stage, *arguments_of(stage))
    assert line == "params.yaml: moe.top_k = 3: must lie in [1, moe.num_experts = 2]"
    assert [path.name for path in tmp_path.iterdir()] == ["params.yaml"]


def test_all_problems_of_the_parameters_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = edited(tmp_path, "moe:\n  num_experts: 4", "moe:\n  num_experts: 2")
    path.write_text(path.read_text("utf-8").replace("seed: 43", 'seed: "43"'), "utf-8")
    monkeypatch.chdir(tmp_path)
    code, stderr = failed(capsys, "ingest", "tiny")
    assert code == 1
    assert [line.split(" = ")[0] for line in stderr.splitlines()] == [
        "error: params.yaml: rank.seed",
        "params.yaml: moe.top_k",
        "params.yaml: train.seed",
    ]


@pytest.mark.parametrize("stage", ["ingest", "encode"])
def test_outside_a_project_a_stage_says_where_to_stand(
    stage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    line = one_line(capsys, stage, *arguments_of(stage))
    assert line == "params.yaml: no such file; run from the project's root folder"


@pytest.mark.parametrize("stage", STAGES)
def test_a_full_disk_is_one_line_and_leaves_what_was_written(
    stage: str,
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The first fsync fails, as on a disk without room for the file."""

    def full(number: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    before = contents("data/raw", "data/interim", "data/models", "data/ranks")
    shutil.rmtree(".mmoe/encode")  # what is kept there would only be linked
    monkeypatch.setattr(os, "fsync", full)
    line = one_line(capsys, stage, *arguments_of(stage))
    assert "No space left on device" in line
    assert "run again when mended" in line or "run the command again" in line
    after = contents("data/raw", "data/interim", "data/models", "data/ranks")
    assert after.items() <= before.items()
    assert list(Path().rglob("*.tmp")) == []


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (DataError("a.jsonl, row 3: broken"), "error: a.jsonl, row 3: broken\n"),
        (
            PermissionError(errno.EACCES, "Permission denied", "data/x.parquet"),
            "error: [Errno 13] Permission denied: 'data/x.parquet'; "
            "finished work is kept, run again when mended\n",
        ),
    ],
)
def test_what_a_user_can_mend_is_one_line(
    error: Exception, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        exit_on_mistake(raising(error))
    assert caught.value.code == 1
    assert capsys.readouterr().err == line


@pytest.mark.parametrize("start", ["import pipeline", COMMAND])
@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("KeyboardInterrupt", r"stopped; the same command goes on from what is done\n"),
        ("ValueError('ours')", r"Traceback .*ValueError: ours\n"),
    ],
)
def test_ctrl_c_is_one_line_at_any_moment(start: str, error: str, said: str) -> None:
    code = f"{start}\nraise {error}"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode in (1, -signal.SIGINT)
    assert re.fullmatch(said, done.stderr, re.DOTALL)


@pytest.mark.parametrize("bug", [KeyError("x"), AssertionError("ours"), ValueError("ours")])
def test_a_bug_of_ours_keeps_its_trace(bug: Exception) -> None:
    with pytest.raises(type(bug)):
        exit_on_mistake(raising(bug))


def raising(error: Exception) -> Callable[[], None]:
    def work() -> None:
        raise error

    return work


@pytest.mark.parametrize("stage", ["ingest", "report"])  # the others load torch
def test_a_stage_is_a_module_to_run(stage: str, tmp_path: Path) -> None:
    """A real process: the guard at the module's end, the exit code, the streams."""
    edited(tmp_path, "moe:\n  num_experts: 4", "moe:\n  num_experts: 2")
    done = subprocess.run(
        [sys.executable, "-m", f"pipeline.{stage}", "tiny"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: params.yaml: moe.top_k = 3")
    assert done.stderr.count("\n") == 1


def test_a_stage_without_a_data_set_shows_its_usage(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, stderr = failed(capsys, "ingest")
    assert code == 2
    assert "usage: " in stderr
    assert "the following arguments are required: dataset" in stderr
    assert contents(*DONE)


def test_a_corrupt_image_is_told_and_the_run_goes_on(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("encode", "tiny", "mention_image")
    printed = capsys.readouterr().out
    assert "mention_image: 1 unreadable images are masked, among them" in printed
    assert "data/raw/tiny/mention_images/" in printed
