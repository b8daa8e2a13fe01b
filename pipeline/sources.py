"""Where candidates come from: one function a source, each giving candidates and its numbers of requests."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmoe.config.retrieve import RetrieveParams
from mmoe.config.wikidata import WikidataParams
from mmoe.records import Candidate, Entity, Mention, read_records
from mmoe.wikidata.dump import find_slice, has_slice
from mmoe.wikidata.hits import Matching, distinct_words, forms_of
from mmoe.wikidata.kb import find_in_kb
from mmoe.wikidata.labels import build_from_slice, write_label_index
from mmoe.wikidata.query import find_in_index

from pipeline.layout import Layout

Found = tuple[list[Candidate], dict[str, Any]]  # and what the run came to: requests by kind …


LOCAL: dict[str, Any] = {"requests": {}}


@dataclass(frozen=True)
class Question:
    """What every source is asked."""

    at: Layout
    params: RetrieveParams
    mentions: Sequence[Mention]
    offline: bool
    manners: WikidataParams

    @property
    def matching(self) -> Matching:
        params = self.params
        return Matching(params.match, params.strip_suffix, params.max_candidates)


def sources_to_show(at: Layout, params: RetrieveParams) -> list[str]:
    """The chosen source, and beside it those that cost neither requests nor a file that isn't there.

    Answers of the API that happen to be kept don't make a column: what the stage writes, and DVC tracks,
    must not depend on a user's cache.
    """
    if params.source == "none":
        return ["none"]
    local = ["index"] if params.index or has_slice(at.raw) else []
    return list(dict.fromkeys((params.source, *local, "kb")))


def _none(_q: Question) -> Found:
    return [], LOCAL


def _kb(q: Question) -> Found:
    return find_in_kb(read_records(q.at.entities, Entity), q.mentions, q.matching), LOCAL


def _index(q: Question) -> Found:
    folder = Path(q.params.index) if q.params.index else q.at.labels / "index"
    if not q.params.index:
        build_from_slice(find_slice(q.at.raw), q.params.languages, folder)
    return find_in_index(folder, q.mentions, q.matching), LOCAL


def _api(q: Question) -> Found:
    from mmoe.wikidata.api import find_items, settings_from_environment

    settings = settings_from_environment(
        url=q.params.api_url,
        languages=tuple(q.params.languages),
        max_per_minute=q.manners.requests_per_minute,
        max_lag_wait=q.manners.max_lag_wait,
        max_hits=q.params.max_hits,
        cache_days=q.manners.cache_days,
        offline=q.offline or bool(os.environ.get("MMOE_OFFLINE")),
    )
    words = distinct_words(q.mentions)
    forms = [form for word in words for form in forms_of(word, q.params.strip_suffix)]
    found = find_items(forms, settings, match=q.params.match)
    source: dict[str, object] = {"url": q.params.api_url, "languages": q.params.languages}
    write_label_index(q.at.labels / "api", found.items, source)
    run = {
        "requests": found.requests,
        "retries": found.retries,
        "cache_hits": found.cache_hits,
        "items_left_out": found.dropped,
        "words_cut": found.words_cut,
    }
    return find_in_index(q.at.labels / "api", q.mentions, q.matching), run


SOURCES = {"index": _index, "api": _api, "kb": _kb, "none": _none}
