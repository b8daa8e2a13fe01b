"""A knowledge base of items that the API gives, for those who have no dump: by name, by id, or both."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import BinaryIO

import orjson

from mmoe.errors import WikidataError
from mmoe.wikidata.api import ApiSettings, find_items
from mmoe.wikidata.api.ask import Api, NotKeptError
from mmoe.wikidata.api.entities import ITEMS, NAMES, PROPERTIES, entities_of, is_missing, item_of
from mmoe.wikidata.api.find import FoundItems
from mmoe.wikidata.api.pace import CLOCK, Clock
from mmoe.wikidata.entity import is_qid, label_of, qid_number
from mmoe.wikidata.knowledge.chooser import LISTED_WITHOUT, Chooser
from mmoe.wikidata.knowledge.drafts import Draft
from mmoe.wikidata.knowledge.request import KbRequest
from mmoe.wikidata.knowledge.write import LOCK, nothing_chosen, write_knowledge_base
from mmoe.wikidata.work import exclusive_folder

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
                drafts, counts = _drafts(request, list(qids), found, api)
                if not drafts:
                    raise WikidataError(f"{settings.host}: {nothing_chosen(counts)}")
                labels_of, source = partial(_labels, api, list(qids)), {"api": settings.url}
                counts = write_knowledge_base(
                    folder, request, lambda: drafts, labels_of, source, counts
                )
            except NotKeptError as error:
                raise WikidataError(
                    f"{settings.cache_folder}: answers about {len(error.ids)} entities and perhaps more are "
                    "not kept; run once without --offline to ask for them"
                ) from None
            return counts | {"requests": num_requests + sum(api.requests.values())}


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
            if item is not None:
                if_not_listed[item.qid] = by_name.reason_against(item)
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


def _labels(
    api: Api, qids: Sequence[str], needed: set[str], chosen: set[str], out: BinaryIO | None
) -> dict[str, str]:
    """The labels of items and properties, what is neither has none; copies the chosen items to a slice."""
    names = sorted(needed)
    found = dict(entities_of(api, NAMES, [name for name in names if is_qid(name)]))
    properties = [name for name in names if _PROPERTY.fullmatch(name)]
    found |= dict(entities_of(api, PROPERTIES, properties))
    if out is not None:
        left = set(chosen)
        for _, entity in entities_of(api, ITEMS, qids):  # their answers are kept by now
            if entity["id"] in left:
                left.discard(entity["id"])
                out.write(orjson.dumps(entity, option=orjson.OPT_APPEND_NEWLINE))
    languages = api.settings.languages
    labels = ((name, label_of(entity, languages)) for name, entity in found.items())
    return {name: label for name, label in labels if label is not None}
