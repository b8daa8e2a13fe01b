"""All items that bear one of many words: search, compare names, fetch the items; and nothing twice."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

from mmoe.errors import WikidataError
from mmoe.names import normalise_name
from mmoe.wikidata.api.ask import Api, Json, NotKeptError
from mmoe.wikidata.api.entities import (
    ITEMS,
    NAMES,
    ask_for_entities,
    batches,
    is_missing,
    item_of,
    question_about,
)
from mmoe.wikidata.api.found import FoundItems
from mmoe.wikidata.api.pace import CLOCK, Clock
from mmoe.wikidata.api.search import Hits, find_hits
from mmoe.wikidata.api.settings import ApiSettings
from mmoe.wikidata.api.wanted import Wanted
from mmoe.wikidata.entity import Item, qid_number
from mmoe.wikidata.hits import Match
from mmoe.wikidata.index.request import Request

Task = TypeVar("Task")

_READ_AT_ONCE = 1000  # kept answers that are held in memory while they are looked through
_WORDS_TOLD = 10


def find_items(
    words: Sequence[str], settings: ApiSettings, clock: Clock = CLOCK, match: Match = "exact"
) -> FoundItems:
    """The items that bear any of the words in a label or alias, in one of the languages or `mul`.

    Names are compared as a label index compares them, and the same kinds are left out, so that an index
    of these items gives the candidates that one of the whole dump gives; `words_cut` are the exception.

    What it costs: a request for the hits of a word, 20 if there are 10,000 of them; one for the names of 50
    hits; one for 50 items that bear it. By exact names few do, mostly; by tokens nearly all hits do, and a
    common surname takes up to 420 requests and some 140 MB. `settings.max_hits` bounds it.

    Args:
        words: any spelling; those without a letter or any other visible character are left out.
        clock: waits; tests put another in its place.
        match: `exact`: the word is the name; `tokens`: all its tokens are in the name.
    Raises:
        WikidataError: if the contact is missing, the server refuses or stays busy for too long, or the
            run is offline and answers are not kept. What was answered is kept in any case.
    """
    plain = [normalise_name(word) for word in words]
    wanted = list(dict.fromkeys(word for word in plain if word))
    started = clock.now()
    with Api(settings, f"{len(wanted):,} words", clock) as api:
        run = _Run(api, wanted, match)
        items = run.items()
        run.tell_cut_words()
        return FoundItems(
            items=items,
            words=wanted,
            words_cut=run.words_cut,
            dropped=dict(run.dropped),
            missing=run.missing,
            requests=dict(api.requests),
            retries=dict(api.retries),
            cache_hits=api.cache_hits,
            seconds=clock.now() - started,
        )


class _Run:
    """Three rounds: hits of every word, names of every hit, items of those that bear a word."""

    def __init__(self, api: Api, words: Sequence[str], match: Match) -> None:
        self.words_cut: list[str] = []
        self.dropped: Counter[str] = Counter()
        self.missing = 0
        self._api, self._words, self._match = api, words, match
        self._choice = Request(api.settings.languages)  # as an index of a dump chooses by default
        self._wanted = Wanted(words, match)
        self._lock = threading.Lock()
        # By the id that a search gave: which words the item bears, which of them are its names, and its
        # id behind a redirect.
        self._borne: dict[str, frozenset[str]] = {}
        self._named: dict[str, frozenset[str]] = {}
        self._target: dict[str, str] = {}
        self._not_kept: set[str] = set()  # words

    def items(self) -> list[Item]:
        hits = self._search()
        self._compare_names(hits)
        self._check_kept()
        bearers = {self._target[qid] for qid, borne in self._borne.items() if borne}
        items = self._fetch(sorted(bearers, key=qid_number))
        self._check_kept()
        return items

    def tell_cut_words(self) -> None:
        """Says which words have more items than the API lists."""
        cut = self.words_cut
        if cut:
            some = ", ".join(cut[:_WORDS_TOLD]) + (", …" if len(cut) > _WORDS_TOLD else "")
            self._api.bar.note(
                f"{len(cut)} of {len(self._words)} words are in more names than the API lists ({some}): "
                "obscure items that bear them may be lacking; an index of a dump has them all"
            )

    def _search(self) -> dict[str, Hits]:
        api = self._api
        hits: dict[str, Hits] = {}

        def search(word: str) -> None:
            try:
                hits[word] = find_hits(
                    api,
                    word,
                    api.settings.languages,
                    lambda qids: self._any_named(word, qids),
                    self._match,
                )
            except NotKeptError:
                self._not_kept.add(word)

        api.bar.expect(len(self._words))
        self._each(self._words, search)
        self.words_cut = [word for word in self._words if word in hits and not hits[word].is_whole]
        return hits

    def _any_named(self, word: str, qids: Sequence[str]) -> bool:
        new = [qid for qid in dict.fromkeys(qids) if qid not in self._borne]
        for batch in batches(new):
            self._api.bar.expect(1)
            self._learn_names(batch)
        return any(word in self._named[qid] for qid in qids)

    def _compare_names(self, hits: dict[str, Hits]) -> None:
        every = dict.fromkeys(qid for found in hits.values() for qid in found.qids)
        new = [qid for qid in every if qid not in self._borne]
        left = self._each_kept(NAMES, new, self._take_names)
        unknown: set[str] = set()

        def learn(batch: list[str]) -> None:
            try:
                self._learn_names(batch)
            except NotKeptError as error:
                unknown.update(error.ids)

        self._tell_cost(len(every), len(batches(left)))
        self._api.bar.expect(len(batches(left)))
        self._each(batches(left), learn)
        for word, found in hits.items():
            if not unknown.isdisjoint(found.qids):
                self._not_kept.add(word)

    def _tell_cost(self, num_hits: int, num_requests: int) -> None:
        """Says what is to come, in time for somebody who does not want to wait for it."""
        settings = self._api.settings
        if num_requests and not settings.offline:
            minutes = num_requests / settings.max_per_minute
            others = "about as many" if self._match == "tokens" else "fewer"
            self._api.bar.note(
                f"{num_hits:,} items may bear the words; at least {num_requests:,} requests to come, "
                f"{minutes:.1f} minutes at {settings.max_per_minute:,} a minute, for their names, then "
                f"{others} for those that do; Ctrl-C stops, all answers are kept"
            )

    def _learn_names(self, qids: list[str]) -> None:
        question = question_about(NAMES, qids, self._api.settings.languages)
        self._take_names(ask_for_entities(self._api, question))

    def _take_names(self, entities: dict[str, Json]) -> None:
        for qid, entity in entities.items():
            item = item_of(entity, self._api)
            named = frozenset[str]() if item is None else self._wanted.named(item)
            borne = frozenset[str]() if item is None else self._wanted.borne_by(item)
            with self._lock:
                self.missing += is_missing(entity) and qid not in self._borne
                self._named[qid] = named
                self._borne[qid] = borne
                self._target[qid] = qid if item is None else item.qid

    def _fetch(self, qids: Sequence[str]) -> list[Item]:
        found: dict[str, Item] = {}

        def take(entities: dict[str, Json]) -> None:
            for entity in entities.values():
                item = item_of(entity, self._api)
                # Names may be older answers than items: an item may have been renamed in between.
                if item is not None and self._wanted.borne_by(item):
                    with self._lock:
                        found[item.qid] = item

        def fetch(batch: list[str]) -> None:
            question = question_about(ITEMS, batch, self._api.settings.languages)
            try:
                take(ask_for_entities(self._api, question))
            except NotKeptError as error:
                self._not_kept.update(self._words_of(error.ids))

        left = self._each_kept(ITEMS, qids, take)
        self._api.bar.expect(len(batches(left)))
        self._each(batches(left), fetch)
        ordered = sorted(found.values(), key=lambda item: qid_number(item.qid))
        return [item for item in ordered if not self._is_dropped(item)]

    def _words_of(self, qids: Sequence[str]) -> set[str]:
        targets = set(qids)
        return {
            word
            for qid, borne in self._borne.items()
            if self._target[qid] in targets
            for word in borne
        }

    def _is_dropped(self, item: Item) -> bool:
        reason = self._choice.reason_against(item)
        if reason is not None:
            self.dropped[reason] += 1
        return reason is not None

    def _each_kept(
        self, kind: str, qids: Sequence[str], take: Callable[[dict[str, Json]], None]
    ) -> list[str]:
        """Takes what is kept, some at a time; returns the ids of what is not."""
        left = []
        for start in range(0, len(qids), _READ_AT_ONCE):
            some = qids[start : start + _READ_AT_ONCE]
            kept = self._api.kept(question_about(kind, some, self._api.settings.languages))
            take(kept)
            left += [qid for qid in some if qid not in kept]
        return left

    def _each(self, tasks: Sequence[Task], work: Callable[[Task], None]) -> None:
        """Works on tasks in threads; the first failure lets no further request leave."""
        failures: list[Exception] = []

        def guarded(task: Task) -> None:
            try:
                if not failures:
                    work(task)
            except Exception as error:
                failures.append(error)  # before stop(), which makes other threads fail in turn
                self._api.pacer.stop()

        with ThreadPoolExecutor(self._api.settings.max_concurrent) as pool:
            try:
                wait([pool.submit(guarded, task) for task in tasks])
            except BaseException:
                self._api.pacer.stop()
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        if failures:
            raise failures[0]

    def _check_kept(self) -> None:
        if self._not_kept:
            settings = self._api.settings
            raise WikidataError(
                f"{settings.cache_folder}: answers about {len(self._not_kept):,} of {len(self._words):,} "
                f"words are not kept or older than {settings.cache_days:g} days; run once without "
                "--offline to ask for them"
            )
