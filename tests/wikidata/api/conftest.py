"""A server for each test, a clock that needs no time, and no proxy between them and us."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mmoe.wikidata.api.settings import ApiSettings

from tests.wikidata.api.clock import StoppedClock
from tests.wikidata.api.fake.server import Fake, serving
from tests.wikidata.api.runs import CONTACT


@pytest.fixture
def time_of() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch, time_of: StoppedClock) -> Iterator[Fake]:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "127.0.0.1")
    with serving(Fake(now=time_of.now)) as running:
        yield running


@pytest.fixture
def settings(fake: Fake, tmp_path: Path) -> ApiSettings:
    """Settings for the server, with a cache of the test's own."""
    return ApiSettings(fake.url, ("en",), contact=CONTACT, cache_folder=tmp_path / "cache")
