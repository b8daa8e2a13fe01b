"""One run of all stages on the tiny data set, and a copy of it for every test that spoils something."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.imports import ROOT
from tests.pipeline.project import STAGES, run
from tests.pipeline.tiny import SAMPLE, write_params, write_tiny


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project folder in which every stage has run."""
    root = tmp_path_factory.mktemp("built") / "project"
    root.mkdir()
    before = Path.cwd()
    os.chdir(root)
    try:
        write_params(Path("params.yaml"))
        write_tiny(Path("data/raw/tiny"))
        shutil.copytree(SAMPLE / "clip", "data/raw/sample/clip")
        Path("reports").mkdir()
        shutil.copy(ROOT / "reports/published.yaml", "reports")
        for stage in STAGES:
            run(stage, "tiny")
    finally:
        os.chdir(before)
    return root


@pytest.fixture
def project(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the built project, in which the test stands."""
    shutil.copytree(built, tmp_path / "project")
    monkeypatch.chdir(tmp_path / "project")
    return tmp_path / "project"
