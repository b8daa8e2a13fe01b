"""A server for each test, clients of it whose waits need no time, and a folder for the stage to run in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.layout import Layout
from tests.descriptions.llm_client.fake.server import Fake, serving
from tests.descriptions.llm_client.runs import CANARY, Clients, QuickClock
from tests.descriptions.stage import choose


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[Fake]:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "127.0.0.1")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with serving(Fake()) as running:
        yield running


@pytest.fixture
def time_of() -> QuickClock:
    return QuickClock()


@pytest.fixture
def client(fake: Fake, tmp_path: Path, time_of: QuickClock) -> Clients:
    """Makes clients of the server, with a cache of the test's own."""
    return Clients(fake.url, tmp_path / "cache", time_of)


@pytest.fixture
def at(fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    """A folder for the stage, whose server chooses the sailor and wants a key."""
    monkeypatch.setenv("OPENAI_API_KEY", CANARY)
    monkeypatch.setenv("MMOE_CACHE", str(tmp_path / "cache"))
    fake.always = choose("sailor")
    monkeypatch.chdir(tmp_path)
    at = Layout("toy")
    at.raw.mkdir(parents=True)
    return at
