"""All items that bear one of many surface forms: search, compare names, fetch the items; nothing twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TypeVar

from mmoe.errors import WikidataError
from mmoe.names import normalise_name
from mmoe.wikidata.api.ask import Api, Json, NotKeptError
from mmoe.wikidata.api.entities import (
    ITEMS,
    NAMES,
    ask_for_entities,
    batches,
    entities_of,
    item_of,
    question_about,
)
from mmoe.wikidata.api.pace import CLOCK, Clock
from mmoe.wikidata.api.search import Hits, find_hits
from mmoe.wikidata.api.settings import ApiSettings
from mmoe.wikidata.entity import Item, qid_number
from mmoe.wikidata.matching import Match, NameMatcher
from mmoe.wikidata.selection import Selection

Task = TypeVar("Task")

_READ_AT_ONCE = 1000  # kept answers that are held in memory while they are looked through
_FORMS_TOLD = 10


@dataclass(frozen=True)
class FoundItems:
    """Items that bear one of the surface forms, and how they were found.

    Attributes:
        items: each once, by number.
        surface_forms_cut: normalised: those for which the API gave no whole list, so that obscure items may
            be missing.
        dropped: items that bear a surface form but are of a kind that is left out, by reason.
        requests: that were sent, by kind of answer (search, names, items); every attempt counts.
        retries: attempts that failed and were made again, by reason.
        cache_hits: answers that were found kept.
    """

    items: list[Item]
    surface_forms_cut: list[str]
    dropped: dict[str, int]
    requests: dict[str, int]
    retries: dict[str, int]
    cache_hits: int


def find_items(
    surface_forms: Sequence[str],
    settings: ApiSettings,
    clock: Clock = CLOCK,
    match: Match = "exact",
) -> FoundItems:
    """The items that bear any of the surface forms in a label or alias, in one of the languages or `mul`.

    Names are compared as a label index compares them, and the same kinds are left out, so that an index
    of these items gives the candidates that one of the whole dump gives; `surface_forms_cut` are the
    exception.

    What it costs: a request for the hits of a surface form, 20 if there are 10,000 of them; one for the
    names of 50 hits; one for 50 items that bear it. By exact names few do, mostly; by tokens nearly all
    hits do, and a common surname takes up to 420 requests and some 140 MB. `settings.max_hits` bounds it.

    Args:
        surface_forms: any spelling; those without a visible character are left out.
        clock: waits; tests put another in its place.
        match: `exact`: the surface form is the name; `tokens`: all its tokens are in the name.
    Raises:
        WikidataError: if the contact is missing, the server refuses or stays busy for too long, or the
            run is offline and answers are not kept. What was answered is kept in any case.
    """
    wanted = list(dict.fromkeys(filter(None, map(normalise_name, surface_forms))))
    with Api(settings, f"{len(wanted):,} surface forms", clock) as api:
        run = _Run(api, wanted, match)
        items = run.items()
        return FoundItems(
            items=items,
            surface_forms_cut=run.cut,
            dropped=dict(run.dropped),
            requests=dict(api.requests),
            retries=dict(api.retries),
            cache_hits=api.cache_hits,
        )


@dataclass(frozen=True, slots=True)
class _Hit:
    """What the names of a hit say.

    Attributes:
        target: its id behind a redirect.
        named: the surface forms that are its names.
        borne: the surface forms that it bears.
    """

    target: str
    named: frozenset[str] = frozenset()
    borne: frozenset[str] = frozenset()


class _Run:
    """Three rounds: hits of every surface form, names of every hit, items of those that bear one."""

    def __init__(self, api: Api, forms: Sequence[str], match: Match) -> None:
        self.cut: list[str] = []
        self.dropped = Counter[str]()
        self._api, self._forms, self._match = api, forms, match
        self._languages = api.settings.languages
        self._selection = Selection(self._languages)  # as an index of a dump selects by default
        self._matcher = NameMatcher(forms, match)
        self._known: dict[str, _Hit] = {}  # by the id that a search gave
        self._not_kept: set[str] = set()  # surface forms

    def items(self) -> list[Item]:
        hits = self._search()
        self._compare_names(hits)
        self._check_kept()
        bearers = {hit.target for hit in self._known.values() if hit.borne}
        items = self._fetch(sorted(bearers, key=qid_number))
        self._check_kept()
        if self.cut:
            some = ", ".join(self.cut[:_FORMS_TOLD])
            others = ", …" if len(self.cut) > _FORMS_TOLD else ""
            self._api.bar.note(
                f"{len(self.cut)} of {len(self._forms)} surface forms are in more names than the API lists "
                f"({some}{others}): obscure items that bear them may be missing; an index of a dump has them "
                "all"
            )
        return items

    def _search(self) -> dict[str, Hits]:
        hits: dict[str, Hits] = {}

        def search(form: str) -> None:
            try:
                hits[form] = find_hits(
                    self._api, form, lambda qids: self._any_named(form, qids), self._match
                )
            except NotKeptError:
                self._not_kept.add(form)

        self._api.bar.expect(len(self._forms))
        self._each(self._forms, search)
        self.cut = [form for form in self._forms if form in hits and not hits[form].is_whole]
        return hits

    def _any_named(self, form: str, qids: Sequence[str]) -> bool:
        new = [qid for qid in dict.fromkeys(qids) if qid not in self._known]
        self._take_names(dict(entities_of(self._api, NAMES, new)))
        return any(form in self._known[qid].named for qid in qids)

    def _compare_names(self, hits: dict[str, Hits]) -> None:
        every = dict.fromkeys(qid for found in hits.values() for qid in found.qids)
        new = [qid for qid in every if qid not in self._known]
        unknown = self._take_all(NAMES, new, self._take_names)
        self._not_kept |= {f for f, found in hits.items() if not unknown.isdisjoint(found.qids)}

    def _take_names(self, entities: dict[str, Json]) -> None:
        for qid, entity in entities.items():
            item = item_of(entity, self._api)
            hit = _Hit(qid)
            if item is not None:
                own = item.normalised_names
                hit = _Hit(item.qid, self._matcher.names & own, self._matcher.borne_by(own))
            self._known[qid] = hit

    def _fetch(self, qids: Sequence[str]) -> list[Item]:
        found: dict[str, Item] = {}

        def take(entities: dict[str, Json]) -> None:
            for entity in entities.values():
                item = item_of(entity, self._api)
                # Names may be older answers than items: an item may have been renamed in between.
                if item is not None and self._matcher.borne_by(item.normalised_names):
                    found[item.qid] = item

        unknown = self._take_all(ITEMS, qids, take)
        for hit in self._known.values():
            if hit.target in unknown:
                self._not_kept |= hit.borne
        ordered = sorted(found.values(), key=lambda item: qid_number(item.qid))
        reasons = [self._selection.reason_against(item) for item in ordered]
        self.dropped = Counter(reason for reason in reasons if reason is not None)
        return [item for item, why in zip(ordered, reasons, strict=True) if why is None]

    def _take_all(
        self, kind: str, qids: Sequence[str], take: Callable[[dict[str, Json]], None]
    ) -> set[str]:
        """Takes what is kept, some at a time, then what is asked for in fifties.

        Returns:
            The ids of what is not kept, in an offline run.
        """
        left: list[str] = []
        for start in range(0, len(qids), _READ_AT_ONCE):
            some = qids[start : start + _READ_AT_ONCE]
            kept = self._api.kept(question_about(kind, some, self._languages))
            take(kept)
            left += [qid for qid in some if qid not in kept]
        not_kept: set[str] = set()

        def ask(batch: list[str]) -> None:
            try:
                take(ask_for_entities(self._api, kind, batch))
            except NotKeptError as error:
                not_kept.update(error.ids)

        groups = batches(left)
        self._api.bar.expect(len(groups))
        self._each(groups, ask)
        return not_kept

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
                f"{settings.cache_folder}: answers about {len(self._not_kept):,} of {len(self._forms):,} "
                f"surface forms are not kept or older than {settings.limits.cache_days:g} days; run once "
                "without --offline to ask for them"
            )
