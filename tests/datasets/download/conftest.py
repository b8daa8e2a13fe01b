"""A server for each test, and no proxy between it and us."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.datasets.download.server import Site, serving


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "127.0.0.1")
    with serving() as running:
        yield running
