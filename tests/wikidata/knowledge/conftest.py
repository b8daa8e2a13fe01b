"""The API of Wikidata with the small world in it, settings for it, and a clock that needs no time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from mmoe.wikidata.api import ApiSettings

from tests.wikidata.api.clock import StoppedClock
from tests.wikidata.api.fake.server import Fake, serving
from tests.wikidata.api.fake.store import page_of
from tests.wikidata.api.runs import CONTACT
from tests.wikidata.knowledge.world import LINES


@pytest.fixture
def world(time_of: StoppedClock) -> Iterator[Fake]:
    fake = Fake(now=time_of.now)
    for text in LINES:
        entity = json.loads(text)
        maps = {key: entity[key] or {} for key in ("labels", "descriptions", "aliases", "claims")}
        fake.store.add(entity | maps | page_of(entity["id"]))
    with serving(fake) as running:
        yield running


@pytest.fixture
def settings(world: Fake, tmp_path: Path) -> ApiSettings:
    return ApiSettings(world.url, ("en",), contact=CONTACT, cache_folder=tmp_path / "cache")
