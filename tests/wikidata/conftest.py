"""A clock that needs no time, and no proxy between the tests' servers and us."""

from __future__ import annotations

import pytest

from tests.wikidata.api.clock import StoppedClock


@pytest.fixture
def time_of() -> StoppedClock:
    return StoppedClock()


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "127.0.0.1")
