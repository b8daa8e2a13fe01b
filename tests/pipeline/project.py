"""Runs stages as their command lines do, in this process, and looks at what they left."""

from __future__ import annotations

import hashlib
import importlib
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from pipeline.layout import STAGES as ALL_STAGES
from pipeline.stage import run_stage
from tests.imports import ROOT
from tests.pipeline.tiny import SAMPLE, write_params, write_tiny

STAGES = ALL_STAGES[1:]  # those that work on a data set

FUNCTIONS = {stage: "ingest_stage" if stage == "ingest" else stage for stage in STAGES}


def function_of(stage: str) -> Any:
    """The function that `pipeline.<stage>` hands to run_stage."""
    return getattr(importlib.import_module(f"pipeline.{stage}"), FUNCTIONS[stage])


def run(stage: str, *arguments: str) -> None:
    """`python -m pipeline.<stage> <arguments>`, without a new process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", [f"pipeline.{stage}", *arguments])
        run_stage(function_of(stage), "", parts=stage == "encode")


@contextmanager
def started(root: Path) -> Iterator[None]:
    """Inside a new project folder, with params.yaml, the tiny data set and its encoder."""
    root.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        write_params(Path("params.yaml"))
        write_tiny(Path("data/raw/tiny"))
        shutil.copytree(SAMPLE / "clip", "data/raw/sample/clip")
        yield


def build(root: Path) -> None:
    """Makes a project folder in which every stage has run on the tiny data set."""
    with started(root):
        Path("reports").mkdir()
        shutil.copy(ROOT / "reports/published.yaml", "reports")
        for stage in STAGES:
            run(stage, "tiny")


class Failure(NamedTuple):
    """How a stage ended."""

    code: Any
    stderr: str


def failed(capsys: pytest.CaptureFixture[str], stage: str, *arguments: str) -> Failure:
    """Runs a stage that must fail."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as caught:
        run(stage, *arguments)
    return Failure(caught.value.code, capsys.readouterr().err)


def one_line(capsys: pytest.CaptureFixture[str], stage: str, *arguments: str) -> str:
    """The one line with which a stage ends with exit code 1; a progress bar may stand before it."""
    code, stderr = failed(capsys, stage, *arguments)
    assert code == 1
    *bars, line, rest = stderr.split("\n")
    assert [bar for bar in bars if "%|" not in bar] == []
    assert line.startswith("error: ")
    assert rest == ""
    return line.removeprefix("error: ")


def arguments_of(stage: str, dataset: str = "tiny") -> tuple[str, ...]:
    """What the stage is called with; encode with one of its parts."""
    return (dataset, "mention_text") if stage == "encode" else (dataset,)


def contents(*folders: str) -> dict[str, str]:
    """The hash of every file under the folders."""
    files = [path for folder in folders for path in sorted(Path(folder).rglob("*"))]
    return {
        path.as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
        if path.is_file()
    }


DONE = ("data/interim", "data/features", "data/models", "data/ranks", "reports")
