"""A server for each test, a clock that needs no time, and no proxy between them and us."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mmoe.wikidata.api import ApiSettings, FoundItems, find_items
from mmoe.wikidata.matching import Match

from tests.wikidata.api.clock import StoppedClock
from tests.wikidata.api.fake.server import Fake, serving
from tests.wikidata.api.runs import CONTACT


@pytest.fixture
def fake(time_of: StoppedClock) -> Iterator[Fake]:
    with serving(Fake(now=time_of.now)) as running:
        yield running


@pytest.fixture
def settings(fake: Fake, tmp_path: Path) -> ApiSettings:
    """Settings for the server, with a cache of the test's own."""
    return ApiSettings(fake.url, ("en",), contact=CONTACT, cache_folder=tmp_path / "cache")


class Client:
    """Finds surface forms in the world of one test; its waits take no time."""

    def __init__(
        self, settings: ApiSettings, time_of: StoppedClock, match: Match = "exact"
    ) -> None:
        self.settings, self.match, self._time_of = settings, match, time_of

    def __call__(
        self, forms: Sequence[str], match: Match | None = None, **changes: Any
    ) -> FoundItems:
        changed = replace(self.settings, **changes)
        return find_items(forms, changed, self._time_of.clock(), match or self.match)


@pytest.fixture
def find(settings: ApiSettings, time_of: StoppedClock) -> Client:
    return Client(settings, time_of)
