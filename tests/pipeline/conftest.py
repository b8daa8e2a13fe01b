"""A copy of the built project for every test that spoils something."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest


@pytest.fixture
def project(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the built project, in which the test stands."""
    shutil.copytree(built, tmp_path / "project")
    monkeypatch.chdir(tmp_path / "project")
    return tmp_path / "project"
