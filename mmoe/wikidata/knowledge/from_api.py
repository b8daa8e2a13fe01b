"""A knowledge base of items that the API gives, for those who have no dump: by name, by id, or both."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from mmoe.errors import WikidataError
from mmoe.wikidata.api import ApiSettings, find_items
from mmoe.wikidata.api.ask import Api, Json, NotKeptError
from mmoe.wikidata.api.entities import ITEMS, NAMES, PROPERTIES, entities_of, is_missing, item_of
from mmoe.wikidata.api.find import FoundItems
from mmoe.wikidata.api.pace import CLOCK, Clock
from mmoe.wikidata.entity import is_qid, label_of, qid_number
from mmoe.wikidata.knowledge.drafts import Draft
from mmoe.wikidata.knowledge.reading import BEYOND, LISTED_WITHOUT, Chooser, most_linked
from mmoe.wikidata.knowledge.request import KbRequest
from mmoe.wikidata.knowledge.write import (
    LOCK,
    SLICE,
    forget_previous,
    nothing_chosen,
    write_knowledge_base,
)
from mmoe.wikidata.work import exclusive_folder, write_json_rows

GONE = "no such item"
CUT = "names in more items than the API lists"

_PROPERTY = re.compile(r"P[1-9]\d*")


def build_from_api(
    folder: Path, request: KbRequest, settings: ApiSettings, clock: Clock = CLOCK
) -> dict[str, int]:
    """Writes a knowledge base of items that the API gives; what stands in `folder` is replaced.

    Answers are kept, so that a killed run repeats no request.

    Args:
        request: with names, ids or both; its kinds only narrow.
        clock: waits; tests put another in its place.
    Returns:
        Counts, as kb.json has them, and the requests that were sent.
    Raises:
        WikidataError: if the API can't be asked, answers are missing offline, no item is chosen, or another
            run writes to `folder`.
    """
    with exclusive_folder(folder, LOCK):
        listed = request.choice.qids or frozenset()
        qids, num_requests = dict.fromkeys(sorted(listed, key=qid_number)), 0
        found = None
        if request.choice.names is not None:
            found = find_items(sorted(request.choice.names), settings, clock, request.choice.match)
            qids |= dict.fromkeys(item.qid for item in found.items)
            num_requests = sum(found.requests.values())
        with Api(settings, "ids of items and properties", clock) as api:
            try:
                counts = _build(folder, request, list(qids), found, api)
            except NotKeptError as error:
                raise WikidataError(
                    f"{settings.cache_folder}: answers about {len(error.ids)} entities and perhaps more are "
                    "not kept; run once without --offline to ask for them"
                ) from None
            return counts | {"requests": num_requests + sum(api.requests.values())}


def _build(
    folder: Path, request: KbRequest, qids: Sequence[str], found: FoundItems | None, api: Api
) -> dict[str, int]:
    drafts, counts = _drafts(request, qids, found, api)
    if not drafts:
        raise WikidataError(f"{api.settings.host}: {nothing_chosen(counts)}")
    if request.max_entities is not None:
        kept = most_linked(drafts, request.max_entities)
        counts[BEYOND] = len(drafts) - len(kept)
        drafts = [draft for draft in drafts if draft.qid in kept]
    needed = {name for draft in drafts for name in draft.refers_to()}
    labels = _labels(sorted(needed), api)
    forget_previous(folder)
    if request.with_slice:
        write_json_rows(folder / SLICE, _slice({draft.qid for draft in drafts}, qids, api))
    source = {"api": api.settings.url}
    return write_knowledge_base(folder, drafts, request, needed, labels, source, counts)


def _drafts(
    request: KbRequest, qids: Sequence[str], found: FoundItems | None, api: Api
) -> tuple[list[Draft], dict[str, int]]:
    chooser = Chooser(request)
    listed = request.choice.qids or frozenset()
    by_name = replace(request.choice, qids=None)
    target_of: dict[str, str] = {}  # a listed id may redirect to the item that is meant
    if_not_listed: dict[str, str | None] = {}  # why the item would be left out
    drafts = []
    for qid, entity in entities_of(api, ITEMS, qids):
        if is_missing(entity):
            chooser.tally.counts[GONE] += 1
            continue
        if qid in listed:
            target_of[qid] = entity["id"]
            item = item_of(entity, api)
            if_not_listed[entity["id"]] = item and by_name.reason_against(item)
        draft = chooser.draft(entity, f"{api.settings.host}, item {qid}", asked_as=qid)
        if draft is not None:
            drafts.append(draft)
    if found is None:
        counts = chooser.counts()
    else:
        # Pages that bear a name never came here, unless they are listed, too.
        spared = Counter(why for why in if_not_listed.values() if why is not None)
        chooser.tally.counts.update(Counter(found.dropped) - spared)
        counts = chooser.counts() | {CUT: len(found.surface_forms_cut)}
    if listed:
        counts[LISTED_WITHOUT] = sum(target_of.get(qid) not in chooser.qids for qid in listed)
    return drafts, counts


def _labels(names: Sequence[str], api: Api) -> dict[str, str]:
    """The labels of items and properties; what is neither has none."""
    found = dict(entities_of(api, NAMES, [name for name in names if is_qid(name)]))
    properties = [name for name in names if _PROPERTY.fullmatch(name)]
    found |= dict(entities_of(api, PROPERTIES, properties))
    languages = api.settings.languages
    labels = ((name, label_of(entity, languages)) for name, entity in found.items())
    return {name: label for name, label in labels if label is not None}


def _slice(chosen: Collection[str], qids: Sequence[str], api: Api) -> Iterator[Json]:
    """The chosen items as the API gave them; their answers are kept by now."""
    left = set(chosen)
    for _, entity in entities_of(api, ITEMS, qids):
        if entity.get("id") in left:
            left.discard(entity["id"])
            yield entity
