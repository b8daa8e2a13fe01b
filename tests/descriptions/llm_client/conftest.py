"""A server for each test, a clock that needs no time, and neither a proxy nor a key of the user's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mmoe.descriptions.llm_client import AskSettings

from tests.descriptions.llm_client.fake.server import Fake, serving
from tests.descriptions.llm_client.runs import QuickClock


@pytest.fixture
def time_of() -> QuickClock:
    return QuickClock()


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[Fake]:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "127.0.0.1")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with serving(Fake()) as running:
        yield running


@pytest.fixture
def settings(fake: Fake, tmp_path: Path) -> AskSettings:
    """Settings for the server, with a cache of the test's own."""
    return AskSettings(fake.url, cache_folder=tmp_path / "cache")
