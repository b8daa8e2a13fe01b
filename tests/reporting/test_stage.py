"""The stage from its command line's point of view."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from mmoe.config.load import ParamsFile

from pipeline.layout import Layout
from pipeline.report import report
from tests.reporting.fixture import PUBLISHED, write_run

ROOT = PUBLISHED.parents[1]


def test_both_files_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    at = Layout("sample")
    write_run(tmp_path)
    shutil.copy(ROOT / "params.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    report(at, ParamsFile())
    assert (at.report / "report.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    printed = capsys.readouterr().out
    assert printed.endswith("report: reports/sample/report.html\n")
    assert "| **MMoE**" in printed
    assert printed.partition("\n\n")[0] in (at.report / "report.md").read_text(encoding="utf-8")
