"""The lists of hits: whole where that can be proven, the best ones where it can't, and told apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from mmoe.wikidata.api.ask import Api
from mmoe.wikidata.api.search import Hits, find_hits
from mmoe.wikidata.api.settings import ApiSettings

from tests.wikidata import loopback
from tests.wikidata.api.clock import StoppedClock
from tests.wikidata.api.fake.server import Fake, Handler
from tests.wikidata.api.fake.store import item
from tests.wikidata.api.runs import FAST

Find = Callable[..., Hits]


@pytest.fixture
def find(fake: Fake, settings: ApiSettings, time_of: StoppedClock) -> Find:
    def find_one(
        word: str,
        languages: Sequence[str] = ("en",),
        bearers: Sequence[str] = (),
        max_hits: int = 10_000,
    ) -> Hits:
        changed = replace(settings, limits=FAST, max_hits=max_hits, languages=tuple(languages))
        with Api(changed, "1 word", time_of.clock()) as api:
            return find_hits(api, word, lambda qids: any(qid in bearers for qid in qids))

    return find_one


def test_a_long_list_is_read_to_its_end(fake: Fake, find: Find) -> None:
    fake.store.add(*(item(number, f"Ob {number}") for number in range(1, 1201)))
    hits = find("ob")
    assert (len(set(hits.qids)), hits.is_whole) == (1200, True)
    assert [asked.params["sroffset"] for asked in fake.log] == ["0", "500", "1000"]


def test_a_server_that_gives_less_than_asked_is_followed(fake: Fake, find: Find) -> None:
    """Its `continue` says where it goes on, whatever limit we had asked for."""
    fake.store.add(*(item(number, f"Ob {number}") for number in range(1, 121)))
    fake.most_phrase_hits = 50
    fake.most_prefix_hits = 20
    assert len(find("ob").qids) == 120
    assert len(fake.log) == 3
    assert len(find("ob", max_hits=0, bearers=["Q1"]).qids) == 120


def test_a_list_that_moves_between_pages_is_not_called_whole(fake: Fake, find: Find) -> None:
    """A hit slips from the second page onto the first one after that was read."""
    fake.store.add(*(item(number, f"Ob {number}") for number in range(1, 601)))

    def moved(handler: Handler) -> None:
        fake.store.popularity["Q600"] = 1.0
        handler.act()

    fake.tricks = {2: moved}
    hits = find("ob", bearers=["Q300"])
    assert hits.is_whole  # the other list was read to its end
    assert "Q600" in hits.qids
    assert fake.actions() == {"query": 2, "wbsearchentities": 13}


@pytest.mark.parametrize("word", ["?!", "ob " * 97 + "ob"])
def test_what_no_phrase_can_ask_for_goes_by_prefix(fake: Fake, find: Find, word: str) -> None:
    fake.store.add(item(1, word), item(2, f"{word} two"), item(3, f"a {word}"))
    assert find(word) == Hits(("Q1", "Q2"), is_whole=True)
    assert fake.actions() == {"wbsearchentities": 2}


def test_beyond_the_longest_list_the_best_matches_decide(fake: Fake, find: Find) -> None:
    """Ten thousand popular longer names; the exact ones are obscure and come after them by popularity."""
    fake.store.add(
        *(item(number, f"City of Ob {number}") for number in range(1, 10_051)), popularity=0.5
    )
    fake.store.add(
        *(item(number, f"Ob {number}") for number in range(20_000, 20_060)), popularity=1.0
    )
    fake.store.add(item(30_000, "Ob"), item(30_001, {"de": "Ob"}), item(30_002, {"mul": "OB"}))
    hits = find("ob", ("en", "de"), bearers=["Q30000", "Q30001", "Q30002"])
    assert hits.is_whole  # both lists by prefix end
    assert {"Q30000", "Q30001", "Q30002"} <= set(hits.qids)
    assert fake.actions() == {"query": 1, "wbsearchentities": 3 + 2}


@pytest.mark.parametrize(
    "content",
    [
        b"{}",
        b'{"query": []}',
        b'{"query": {"search": [{"ns": 0}], "searchinfo": {"totalhits": 1}}}',
        b'{"query": {"search": []}}',
        b'{"query": {"search": [], "searchinfo": {"totalhits": "1"}}}',
        b'{"query": {"search": [], "searchinfo": {"totalhits": 1}}, "continue": {"sroffset": "x"}}',
    ],
)
def test_an_answer_of_another_form_is_asked_for_again_and_not_kept(
    fake: Fake, find: Find, content: bytes
) -> None:
    fake.store.add(item(1, "Ob"))
    fake.tricks = {1: loopback.body(content)}
    assert find("ob") == Hits(("Q1",), is_whole=True)
    assert len(fake.log) == 2
