"""A server on the loopback that chooses the sailor, and a folder for the stage to run in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.layout import Layout
from tests.descriptions.llm_client.fake.server import Fake, serving
from tests.descriptions.llm_client.runs import CANARY
from tests.descriptions.stage import choose


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Fake]:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "127.0.0.1")
    monkeypatch.setenv("OPENAI_API_KEY", CANARY)
    monkeypatch.setenv("MMOE_CACHE", str(tmp_path / "cache"))
    with serving(Fake(always=choose("sailor"))) as running:
        yield running


@pytest.fixture
def at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    monkeypatch.chdir(tmp_path)
    at = Layout("toy")
    at.raw.mkdir(parents=True)
    return at
