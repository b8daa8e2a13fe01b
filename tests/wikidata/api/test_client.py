"""The items of many words: those that a dump would give, fetched once, and nothing said twice."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from mmoe.errors import WikidataError
from mmoe.wikidata.api import ApiSettings, find_items
from mmoe.wikidata.api.ask import _lock_file
from mmoe.wikidata.api.pace import Clock
from mmoe.wikidata.hits import Matching
from mmoe.wikidata.labels import write_label_index
from mmoe.wikidata.query import find_in_index

from tests.wikidata.api.clock import StoppedClock
from tests.wikidata.api.fake import tricks
from tests.wikidata.api.fake.server import Fake, Handler, Trick
from tests.wikidata.api.fake.store import Store, item
from tests.wikidata.api.runs import WORDS, bearers, items_of_dump, qids, small_world, total
from tests.wikidata.slices import mention


def test_items_that_bear_the_words_and_no_other(
    fake: Fake, settings: ApiSettings, time_of: StoppedClock
) -> None:
    fake.store = small_world()
    found = find_items(WORDS, settings, time_of.clock())
    assert qids(found.items) == bearers(fake.store, WORDS)
    assert qids(found.items) == ["Q1", "Q2", "Q3", "Q4", "Q7", "Q8", "Q9", "Q10"]
    first = found.items[0]
    assert (first.label, first.description, first.sitelinks) == ("Lurien", "invented town", 9)
    assert (first.instance_of, first.modified) == (("Q515",), "2026-01-02T03:04:05Z")
    assert found.dropped == {"disambiguation page": 1}
    assert found.words_cut == []
    assert found.requests == {"search": 8, "names": 2, "items": 1}
    assert total(found) == len(fake.log)


def test_the_languages_say_which_names_count(
    fake: Fake, settings: ApiSettings, time_of: StoppedClock
) -> None:
    fake.store = small_world()
    both = replace(settings, languages=("en", "de"))
    assert qids(find_items(["lurien"], settings, time_of.clock()).items) == ["Q1", "Q2", "Q4"]
    assert qids(find_items(["lurien"], both, time_of.clock()).items) == ["Q1", "Q2", "Q3", "Q4"]
    # The list of hits does not depend on the languages; the names of entities do.
    assert fake.actions() == {"query": 1, "wbgetentities": 4}


def test_spellings_of_one_name_are_one_word(
    fake: Fake, settings: ApiSettings, time_of: StoppedClock
) -> None:
    fake.store = small_world()
    words = ["Lurien", "LURIEN", " lurien ", "luri%65n", "Ada_Lurien", "ada lurien", "", "  "]
    found = find_items(words, settings, time_of.clock())
    assert found.words == ["lurien", "ada lurien"]
    assert found.requests["search"] == 2


def test_no_words_no_request(fake: Fake, settings: ApiSettings, time_of: StoppedClock) -> None:
    found = find_items(["", " "], replace(settings, contact=""), time_of.clock())
    assert (found.items, found.requests, fake.log) == ([], {}, [])


def test_candidates_are_those_of_a_dump(
    fake: Fake, settings: ApiSettings, time_of: StoppedClock, tmp_path: Path
) -> None:
    fake.store = small_world()
    mentions = [mention(word, f"m{number}") for number, word in enumerate(WORDS)]
    found = find_items([one.word for one in mentions], settings, time_of.clock())
    write_label_index(tmp_path / "api", found.items, {})
    write_label_index(tmp_path / "dump", items_of_dump(fake.store), {})
    of_api, of_dump = (
        find_in_index(tmp_path / folder, mentions, Matching()) for folder in ("api", "dump")
    )
    assert of_api == of_dump
    assert [one.qid for one in of_api if one.mention_id == "m0"] == ["Q1", "Q4", "Q2"]


NAMES = st.text("aAbé' -_.\"ßI", min_size=1, max_size=4).map(str.strip).filter(bool)
ITEMS = st.tuples(
    st.dictionaries(st.sampled_from(["en", "de", "fr", "mul"]), NAMES, max_size=3),
    st.lists(NAMES, max_size=2),
    st.sampled_from([0.0, 0.5, 1.0]),
)


@hypothesis_settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    world=st.lists(ITEMS, max_size=12),
    words=st.lists(NAMES, min_size=1, max_size=4),
    deleted=st.sets(st.integers(1, 12), max_size=2),
    max_hits=st.sampled_from([0, 2, 10_000]),
)
def test_any_world_gives_what_looking_at_every_name_gives(
    fake: Fake,
    settings: ApiSettings,
    time_of: StoppedClock,
    world: list[tuple[dict[str, str], list[str], float]],
    words: list[str],
    deleted: set[int],
    max_hits: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    fake.store = Store(deleted={f"Q{number}" for number in deleted})
    for number, (labels, aliases, popularity) in enumerate(world, start=1):
        fake.store.add(item(number, labels, aliases), popularity=popularity)
    folder = tmp_path_factory.mktemp("cache")
    asked = replace(
        settings,
        languages=("en", "de"),
        cache_folder=folder,
        max_hits=max_hits,
        max_per_minute=100_000,
    )
    found = find_items(words, asked, time_of.clock())
    assert qids(found.items) == bearers(fake.store, words, ("en", "de"))
    assert found.words_cut == []


def test_redirects_lead_to_one_item_and_deleted_ones_to_none(
    fake: Fake, settings: ApiSettings, time_of: StoppedClock
) -> None:
    fake.store.add(item(1, "Ob"), item(2, "Ob"), item(3, "Ob"), item(4, "Ob"))
    fake.store.redirects = {"Q3": "Q1", "Q2": "Q1"}
    fake.store.deleted = {"Q4"}
    found = find_items(["Ob"], settings, time_of.clock())
    assert qids(found.items) == ["Q1"]
    assert found.missing == 1
    asked = [asked.params["ids"] for asked in fake.log if "ids" in asked.params]
    assert asked == ["Q1|Q2|Q3|Q4", "Q1"]


def test_fifty_ids_a_request_and_names_before_whole_items(
    fake: Fake, settings: ApiSettings, time_of: StoppedClock
) -> None:
    fake.store.add(*(item(number, f"Ob {number}", kind="Q5") for number in range(1, 121)))
    fake.store.add(*(item(number, "Ob") for number in range(200, 260)))
    found = find_items(["Ob", "Ob 7"], settings, time_of.clock())
    assert len(found.items) == 61
    asked = [asked.params for asked in fake.log if "ids" in asked.params]
    names = [one for one in asked if one["props"] == "labels|aliases"]
    whole = [one for one in asked if "claims" in one["props"]]
    assert sorted(one["ids"].count("|") + 1 for one in names) == [30, 50, 50, 50]
    assert sorted(one["ids"].count("|") + 1 for one in whole) == [11, 50]
    assert {one["languages"] for one in asked} == {"en|mul"}
    assert {one["format"] + one["formatversion"] + one["maxlag"] for one in asked} == {"json25"}


def test_a_second_run_asks_nothing_and_a_larger_one_only_what_is_new(
    fake: Fake, settings: ApiSettings, time_of: StoppedClock
) -> None:
    fake.store = small_world()
    first = find_items(WORDS, settings, time_of.clock())
    num_first = len(fake.log)
    again = find_items(WORDS, replace(settings, contact=""), time_of.clock())
    assert len(fake.log) == num_first
    assert (again.items, again.requests, again.retries) == (first.items, {}, {})
    assert again.cache_hits > 0
    fake.store.add(item(500, "Brask"))
    more = find_items([*WORDS, "Brask"], settings, time_of.clock())
    assert more.requests == {"search": 1, "names": 1, "items": 1}
    assert qids(more.items) == [*qids(first.items), "Q500"]


def test_answers_that_are_too_old_are_asked_for_again(
    fake: Fake, settings: ApiSettings, time_of: StoppedClock
) -> None:
    fake.store.add(item(1, "Ob"))
    short = replace(settings, cache_days=1)
    find_items(["Ob"], short, time_of.clock())
    fake.store.add(item(2, "Ob"))
    time_of.sleep(80_000, threading.Event())
    assert qids(find_items(["Ob"], short, time_of.clock()).items) == ["Q1"]
    time_of.sleep(10_000, threading.Event())
    assert qids(find_items(["Ob"], short, time_of.clock()).items) == ["Q1", "Q2"]


def test_offline_uses_what_is_kept(
    fake: Fake, settings: ApiSettings, time_of: StoppedClock
) -> None:
    fake.store = small_world()
    first = find_items(WORDS, settings, time_of.clock())
    num_first = len(fake.log)
    offline = replace(settings, contact="", offline=True)
    assert find_items(WORDS, offline, time_of.clock()).items == first.items
    with pytest.raises(
        WikidataError, match=r"cache: answers about 2 of 9 words are not kept .* without --offline"
    ):
        find_items([*WORDS, "Brask", "Ulm"], offline, time_of.clock())
    assert len(fake.log) == num_first


@pytest.mark.parametrize("kind", ["names", "items"])
def test_offline_counts_words_whose_items_are_not_kept(
    fake: Fake, settings: ApiSettings, time_of: StoppedClock, kind: str
) -> None:
    fake.store.add(item(1, "Ob"), item(2, "Brask"), item(3, "New Ob"))
    find_items(["Ob", "nothing"], settings, time_of.clock())
    gone = {"names": 2, "items": 3}[kind]
    fake.tricks = {len(fake.log) + gone: tricks.html(404)}
    with pytest.raises(WikidataError, match="HTTP 404"):
        find_items(["Brask"], settings, time_of.clock())
    with pytest.raises(WikidataError, match="answers about 1 of 3 words are not kept"):
        find_items(["Ob", "nothing", "Brask"], replace(settings, offline=True), time_of.clock())


def test_words_in_too_many_names_are_told(
    fake: Fake, settings: ApiSettings, time_of: StoppedClock, capsys: pytest.CaptureFixture[str]
) -> None:
    """The word's own names come first, so that all are found although no list is whole."""
    fake.store.add(*(item(number, f"Ob {number}") for number in range(1, 1001)))
    fake.store.add(*(item(number, "OB") for number in range(2000, 2060)), item(2999, "Brask"))
    found = find_items(["Ob", "Brask"], replace(settings, max_hits=100), time_of.clock())
    assert qids(found.items) == bearers(fake.store, ["Ob", "Brask"])
    assert found.words_cut == ["ob"]
    told = capsys.readouterr().err
    assert "1 of 2 words are in more names than the API lists (ob): obscure items" in told


def test_the_matched_name_that_the_server_shows_is_not_relied_on(
    fake: Fake, settings: ApiSettings, time_of: StoppedClock
) -> None:
    """Five hundred such items in a row would else look like a list that has gone quiet."""
    longer = [item(number, f"Ob {number} Club", ["Ob"]) for number in range(1, 702)]
    fake.store.add(*longer, item(5000, "Ob"))
    found = find_items(["Ob"], replace(settings, max_hits=10), time_of.clock())
    assert len(found.items) == 702
    assert found.words_cut == []


def test_a_broken_item_is_told_and_not_kept(
    fake: Fake, settings: ApiSettings, time_of: StoppedClock
) -> None:
    fake.store.add(item(1, "Ob"))
    broken = b'{"entities": {"Q1": {"id": "Q1", "type": "item", "labels": 3}}}'
    fake.tricks = {2: tricks.body(broken)}
    with pytest.raises(WikidataError, match=r"item Q1, key `labels`: must be an object"):
        find_items(["Ob"], settings, time_of.clock())
    assert qids(find_items(["Ob"], settings, time_of.clock()).items) == ["Q1"]


@pytest.mark.parametrize(
    "content",
    [b"{}", b'{"entities": []}', b'{"entities": {}}', b'{"entities": {"Q1": {"id": 1}}}'],
)
def test_entities_of_another_form_are_asked_for_again(
    fake: Fake, settings: ApiSettings, time_of: StoppedClock, content: bytes
) -> None:
    fake.store.add(item(1, "Ob"))
    fake.tricks = {2: tricks.body(content)}
    found = find_items(["Ob"], settings, time_of.clock())
    assert qids(found.items) == ["Q1"]
    assert found.retries == {"broken_answer": 1}


def test_a_missing_contact_stops_before_the_first_request(
    fake: Fake, settings: ApiSettings, time_of: StoppedClock
) -> None:
    with pytest.raises(WikidataError, match="MMOE_CONTACT is missing"):
        find_items(["Ob"], replace(settings, contact=""), time_of.clock())
    assert fake.log == []


def test_a_refusal_ends_the_run_and_keeps_what_was_answered(
    fake: Fake, settings: ApiSettings, time_of: StoppedClock
) -> None:
    fake.store.add(*(item(number, f"Ob {number}") for number in range(1, 41)))
    words = [f"Ob {number}" for number in range(1, 41)]
    one_by_one = replace(settings, max_concurrent=1)
    fake.tricks = {11: tricks.api_error("badvalue", "No.")}
    with pytest.raises(WikidataError, match="badvalue"):
        find_items(words, one_by_one, time_of.clock())
    assert len(fake.log) == 11
    found = find_items(words, one_by_one, time_of.clock())
    assert len(found.items) == 40
    assert found.requests["search"] == 30


def test_a_refusal_ends_the_waiting_of_other_threads(
    fake: Fake, settings: ApiSettings, time_of: StoppedClock
) -> None:
    """One thread was sent away for minutes when the other one's request is refused."""

    def when(arrived: Callable[[], bool], then: Trick) -> Trick:
        def trick(handler: Handler) -> None:
            for _ in range(2000):
                if arrived():
                    break
                time.sleep(0.002)
            then(handler)

        return trick

    def sleep(seconds: float, stopped: threading.Event) -> None:
        if seconds > 100:
            stopped.wait(10)
        else:
            time_of.sleep(seconds, stopped)

    fake.tricks = {
        1: when(lambda: len(fake.log) == 2, tricks.limited(250)),
        2: when(lambda: fake.log[0].status == 429, tricks.html(404)),
    }
    started = time.monotonic()
    with pytest.raises(WikidataError, match="HTTP 404"):
        find_items(["Ob", "Brask"], settings, Clock(time_of.now, time_of.wall, sleep))
    assert time.monotonic() - started < 5
    assert len(fake.log) == 2


def test_an_item_that_was_renamed_since_its_names_were_kept(
    fake: Fake, settings: ApiSettings, time_of: StoppedClock
) -> None:
    fake.store.add(item(1, "Ob"), item(2, "Ob"))
    fake.tricks = {3: tricks.html(404)}
    with pytest.raises(WikidataError, match="HTTP 404"):
        find_items(["Ob"], settings, time_of.clock())
    fake.store.add(item(2, "Brask"))
    assert qids(find_items(["Ob"], settings, time_of.clock()).items) == ["Q1"]


def test_what_leaves_the_machine_is_said_once_and_before(
    fake: Fake, settings: ApiSettings, time_of: StoppedClock, capsys: pytest.CaptureFixture[str]
) -> None:
    fake.store = small_world()
    said_before: list[str] = []

    def listen(handler: Handler) -> None:
        said_before.append(capsys.readouterr().err)
        handler.act()

    fake.tricks = {1: listen}
    find_items(WORDS, settings, time_of.clock())
    notice = f"asks {settings.host}: 7 words leave this machine"
    assert said_before[0].count(notice) == 1
    assert notice not in capsys.readouterr().err
    find_items(WORDS, settings, time_of.clock())
    assert "leave this machine" not in capsys.readouterr().err
    sent = {key for asked in fake.log for key in asked.params}
    assert sent == {
        *("action", "list", "srsearch", "srnamespace", "srlimit", "sroffset", "srinfo", "srprop"),
        *("search", "language", "strictlanguage", "type", "limit", "continue", "props"),
        *("ids", "languages", "format", "formatversion", "maxlag"),
    }


def test_another_process_that_asks_is_waited_for(
    fake: Fake, settings: ApiSettings, time_of: StoppedClock, capsys: pytest.CaptureFixture[str]
) -> None:
    fake.store.add(item(1, "Ob"))
    settings.cache_folder.mkdir()
    other = FileLock(_lock_file(settings), thread_local=False)
    other.acquire()
    run = threading.Thread(target=find_items, args=(["Ob"], settings, time_of.clock()))
    run.start()
    time.sleep(0.15)
    assert fake.log == []
    other.release()
    run.join(10)
    assert len(fake.log) == 3
    assert "another process asks 127.0.0.1" in capsys.readouterr().err
