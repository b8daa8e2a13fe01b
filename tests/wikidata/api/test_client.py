"""The items of many words: those that a dump would give, each fetched once."""

from __future__ import annotations

from tests.wikidata.api.conftest import Client
from tests.wikidata.api.fake.server import Fake
from tests.wikidata.api.fake.store import item
from tests.wikidata.api.runs import WORDS, bearers, qids, small_world


def test_items_that_bear_the_words_and_no_other(fake: Fake, find: Client) -> None:
    fake.store = small_world()
    found = find(WORDS)
    assert qids(found.items) == bearers(fake.store, WORDS)
    assert qids(found.items) == ["Q1", "Q2", "Q3", "Q4", "Q7", "Q8", "Q9", "Q10"]
    first = found.items[0]
    assert (first.label, first.description, first.sitelinks) == ("Lurien", "invented town", 9)
    assert (first.instance_of, first.modified) == (("Q515",), "2026-01-02T03:04:05Z")
    assert found.dropped == {"disambiguation page": 1}
    assert found.surface_forms_cut == []
    assert found.requests == {"search": 8, "names": 2, "items": 1}
    assert len(fake.log) == 11


def test_the_languages_say_which_names_count(fake: Fake, find: Client) -> None:
    fake.store = small_world()
    assert qids(find(["lurien"]).items) == ["Q1", "Q2", "Q4"]
    assert qids(find(["lurien"], languages=("en", "de")).items) == ["Q1", "Q2", "Q3", "Q4"]
    # The list of hits does not depend on the languages; the names of entities do.
    assert fake.actions() == {"query": 1, "wbgetentities": 4}


def test_spellings_of_one_name_are_one_word(fake: Fake, find: Client) -> None:
    fake.store = small_world()
    words = ["Lurien", "LURIEN", " lurien ", "luri%65n", "Ada_Lurien", "ada lurien", "", "  "]
    assert find(words).requests["search"] == 2


def test_redirects_lead_to_one_item_and_deleted_ones_to_none(fake: Fake, find: Client) -> None:
    fake.store.add(item(1, "Ob"), item(2, "Ob"), item(3, "Ob"), item(4, "Ob"))
    fake.store.redirects = {"Q3": "Q1", "Q2": "Q1"}
    fake.store.deleted = {"Q4"}
    found = find(["Ob"])
    assert qids(found.items) == ["Q1"]
    asked = [asked.params["ids"] for asked in fake.log if "ids" in asked.params]
    assert asked == ["Q1|Q2|Q3|Q4", "Q1"]


def test_fifty_ids_a_request_and_names_before_whole_items(fake: Fake, find: Client) -> None:
    fake.store.add(*(item(number, f"Ob {number}", kind="Q5") for number in range(1, 121)))
    fake.store.add(*(item(number, "Ob") for number in range(200, 260)))
    found = find(["Ob", "Ob 7"])
    assert len(found.items) == 61
    asked = [asked.params for asked in fake.log if "ids" in asked.params]
    names = [one for one in asked if one["props"] == "labels|aliases"]
    whole = [one for one in asked if "claims" in one["props"]]
    assert sorted(one["ids"].count("|") + 1 for one in names) == [30, 50, 50, 50]
    assert sorted(one["ids"].count("|") + 1 for one in whole) == [11, 50]
    assert {one["languages"] for one in asked} == {"en|mul"}
    assert {one["format"] + one["formatversion"] + one["maxlag"] for one in asked} == {"json25"}


def test_the_matched_name_that_the_server_shows_is_not_relied_on(fake: Fake, find: Client) -> None:
    """Five hundred such items in a row would else look like a list that has gone quiet."""
    longer = [item(number, f"Ob {number} Club", ["Ob"]) for number in range(1, 702)]
    fake.store.add(*longer, item(5000, "Ob"))
    found = find(["Ob"], max_hits=10)
    assert len(found.items) == 702
    assert found.surface_forms_cut == []
