"""A Commons for each test, settings for it, and a clock that needs no time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mmoe.wikidata.api import ApiSettings
from mmoe.wikidata.api.settings import CACHE, CONTACT

from tests.wikidata.images.commons import Commons, serving

MAIL = "ada@testwell.example"


@pytest.fixture
def commons(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Commons]:
    monkeypatch.setenv(CONTACT, MAIL)
    monkeypatch.setenv(CACHE, str(tmp_path / "cache"))
    with serving() as running:
        yield running


@pytest.fixture
def settings(commons: Commons, tmp_path: Path) -> ApiSettings:
    return ApiSettings(commons.url, ("en",), contact=MAIL, cache_folder=tmp_path / "cache")
