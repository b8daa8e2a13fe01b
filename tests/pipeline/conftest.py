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


@pytest.fixture
def bundle(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the stage's bundle, far from its project."""
    folder = tmp_path / "elsewhere" / "bundle"
    shutil.copytree(built / "data/bundles/tiny", folder)
    monkeypatch.chdir(folder.parent)
    return folder
