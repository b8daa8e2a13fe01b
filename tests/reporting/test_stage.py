"""The stage from its command line's point of view."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mmoe.config.load import ParamsFile

from pipeline.layout import Layout
from pipeline.report import report
from tests.reporting.fixture import PUBLISHED, write_run

ROOT = PUBLISHED.parents[1]


def lay_out(root: Path, at: Layout) -> None:
    """Puts a made-up run where the other stages would have put it."""
    files = write_run(root / "run")
    places = {
        files.mentions: at.mentions,
        files.entities: at.entities,
        files.candidates: at.candidates,
        files.descriptions: at.descriptions,
        files.ablation: at.report / "description_ablation.json",
        files.data: at.report / "data.json",
        files.retrieve_counts: at.retrieve_counts,
        files.rank_counts: at.rank_counts,
        files.evaluation: at.report / "evaluation.json",
        files.history: at.model / "history.json",
        files.ranks: at.ranks / "ranks.parquet",
        PUBLISHED: Path("reports/published.yaml"),
        ROOT / "params.yaml": Path("params.yaml"),
    }
    for source, place in places.items():
        (root / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, root / place)
    shutil.copytree(files.raw, root / at.raw)


def test_both_files_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    at = Layout("sample")
    lay_out(tmp_path, at)
    monkeypatch.chdir(tmp_path)
    report(at, ParamsFile())
    assert (at.report / "report.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    printed = capsys.readouterr().out
    assert printed.endswith("report: reports/sample/report.html\n")
    assert "| **MMoE**" in printed
    assert printed.partition("\n\n")[0] in (at.report / "report.md").read_text(encoding="utf-8")


def test_the_stage_starts_without_heavy_libraries() -> None:
    code = (
        "import sys, pipeline.report; print({'torch', 'transformers', 'altair'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "set()\n"
