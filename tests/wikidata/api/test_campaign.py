"""Whatever goes wrong on the way, the same candidates come out, and the server is not asked too much."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from mmoe.records import Candidate
from mmoe.wikidata.api import ApiSettings, find_items
from mmoe.wikidata.entity import Item
from mmoe.wikidata.label_index import write_label_index
from mmoe.wikidata.matching import Match, Matching
from mmoe.wikidata.query import find_in_index

from tests.wikidata import loopback
from tests.wikidata.api.clock import StoppedClock
from tests.wikidata.api.fake import tricks
from tests.wikidata.api.fake.server import Fake, Trick
from tests.wikidata.api.fake.store import Store, item
from tests.wikidata.api.runs import WORDS, items_of_dump, small_world
from tests.wikidata.slices import mention

NAMES = [f"Town {number}" for number in range(40)]
ALL = [*WORDS, *NAMES, "Glen"]  # O'Mara among them
# Lists of hits: of the small world's words, by tokens two more for the apostrophe; of the towns; two pages of
# glens. Then names and items in fifties.
CALM_REQUESTS: dict[Match, int] = {
    "exact": 8 + 40 + 2 + 13 + 2,
    "tokens": 10 + 40 + 2 + 13 + 12,
}


@cache
def world() -> Store:
    """The small world, forty towns, over 500 glens, and an item that was merged into another one."""
    store = small_world()
    store.add(
        *(item(1000 + number, name, sitelinks=number % 5) for number, name in enumerate(NAMES))
    )
    store.add(item(2000, "Ada Lurien"), item(2001, "Glen"))
    store.add(*(item(3000 + number, f"Glen {number}") for number in range(510)))
    return store


def candidates(items: list[Item], folder: Path, match: Match) -> list[Candidate]:
    """What the stage makes of items."""
    write_label_index(folder, items, {})
    mentions = [mention(word, f"m{number}") for number, word in enumerate(ALL)]
    return find_in_index(folder, mentions, Matching(match, max_candidates=1000))


@cache
def candidates_of_dump(match: Match, redirected: tuple[str, ...]) -> list[Candidate]:
    """The candidates of an index of the whole dump, of which those ids are redirects."""
    items = items_of_dump(replace(world(), redirects=dict.fromkeys(redirected, "")))
    with TemporaryDirectory() as folder:
        return candidates(items, Path(folder), match)


@dataclass
class Scenario:
    """How the server behaves, and how much more than in a calm run it may be asked.

    Attributes:
        tricks: by number of request.
        reasons: for which attempts must have been repeated.
        more: requests beyond those of a calm run.
        slower: seconds that it takes at least, beyond a calm run.
    """

    tricks: dict[int, Trick] = field(default_factory=dict)
    lag: Callable[[int], float] = lambda _: 0.0
    per_minute: int | None = None
    redirects: dict[str, str] = field(default_factory=dict)
    reasons: tuple[str, ...] = ()
    more: int = 0
    slower: float = 0.0


SCENARIOS = {
    "calm": Scenario(),
    "lag": Scenario(
        lag=lambda number: 30.0 if 10 <= number < 16 or number == 40 else 1.0,
        reasons=("maxlag",),
        more=7,
        slower=10,
    ),
    "429 storm": Scenario(per_minute=20, reasons=("http_429",), more=20, slower=100),
    "redirect": Scenario(redirects={"Q2000": "Q3"}),
    "everything": Scenario(
        {
            1: loopback.page(503),
            2: tricks.limited(10),
            4: tricks.api_error("cirrussearch-too-busy-error"),
            7: loopback.cut,
            10: tricks.limited_without_wait,
            15: loopback.page(503, Retry_After="15"),
            19: loopback.half,
            20: loopback.hang_up,
            33: tricks.list_of_errors("maxlag", "lagged"),
            50: loopback.page(200),
            55: loopback.half,
        },
        lag=lambda number: 8.0 if number % 13 == 0 else 0.0,
        reasons=(
            *("http_503", "http_429", "cut_answer", "broken_answer", "no_connection", "maxlag"),
            "cirrussearch-too-busy-error",
        ),
        more=23,
        slower=30,
    ),
}


@pytest.mark.parametrize("match", ["exact", "tokens"])
@pytest.mark.parametrize("name", SCENARIOS)
def test_every_scenario_ends_as_the_calm_run(
    fake: Fake,
    settings: ApiSettings,
    time_of: StoppedClock,
    tmp_path: Path,
    name: str,
    match: Match,
) -> None:
    scenario, calm_requests = SCENARIOS[name], CALM_REQUESTS[match]
    fake.store = replace(world(), redirects=scenario.redirects)  # their lists are made once
    fake.tricks, fake.lag, fake.per_minute = scenario.tricks, scenario.lag, scenario.per_minute
    fake.delay = 0.002
    found = find_items(ALL, settings, time_of.clock(), match)
    seconds, num_requests = time_of.now(), len(fake.log)
    wanted = candidates_of_dump(match, tuple(scenario.redirects))
    assert candidates(found.items, tmp_path / "api", match) == wanted
    assert found.surface_forms_cut == []
    if name == "calm":
        assert num_requests == calm_requests
    assert set(found.retries) == set(scenario.reasons)
    # As the server counts them: none lost, none in vain, none too early but those already on their way.
    assert sum(found.requests.values()) == num_requests <= calm_requests + scenario.more
    assert num_requests - len(fake.good()) == sum(found.retries.values())
    assert len({str(sorted(params.items())) for params in fake.good()}) == len(fake.good())
    assert fake.most_at_once <= settings.max_concurrent
    assert fake.most_per_window <= min(200, (scenario.per_minute or 200) + scenario.more)
    assert fake.early <= (settings.max_concurrent - 1) * sum(found.retries.values())
    assert seconds >= calm_requests / 3 - 1 + scenario.slower
    again = find_items(ALL, settings, time_of.clock(), match)
    assert len(fake.log) == num_requests
    assert again.items == found.items
