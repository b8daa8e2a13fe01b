"""A Commons for each test, settings for it, and a clock that needs no time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mmoe.wikidata.api import ApiSettings

from tests.wikidata.api.runs import CONTACT
from tests.wikidata.images.commons import Commons, serving


@pytest.fixture
def commons(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Commons]:
    monkeypatch.setenv("MMOE_CONTACT", CONTACT)
    monkeypatch.setenv("MMOE_CACHE", str(tmp_path / "cache"))
    with serving() as running:
        yield running


@pytest.fixture
def settings(commons: Commons, tmp_path: Path) -> ApiSettings:
    return ApiSettings(commons.url, ("en",), contact=CONTACT, cache_folder=tmp_path / "cache")
