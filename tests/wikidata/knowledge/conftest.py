"""The API of Wikidata with the small world in it, settings for it, and a clock that needs no time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from mmoe.wikidata.api import ApiSettings

from tests.wikidata.api.clock import StoppedClock
from tests.wikidata.api.fake.server import Fake, serving
from tests.wikidata.knowledge.world import LINES

MAIL = "ada@testwell.example"


@pytest.fixture
def world(time_of: StoppedClock) -> Iterator[Fake]:
    fake = Fake(now=time_of.now)
    for text in LINES:
        entity = json.loads(text)
        maps = {key: entity[key] or {} for key in ("labels", "descriptions", "aliases", "claims")}
        page = {"pageid": 1, "ns": 0, "title": entity["id"], "lastrevid": 1, "modified": "2026"}
        fake.store.add(entity | maps | page)
    with serving(fake) as running:
        yield running


@pytest.fixture
def settings(world: Fake, tmp_path: Path) -> ApiSettings:
    return ApiSettings(world.url, ("en",), contact=MAIL, cache_folder=tmp_path / "cache")
