"""Where candidates come from: one function a source."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmoe.config.retrieve import RetrieveParams
from mmoe.config.wikidata import WikidataParams
from mmoe.records import Candidate, Entity, Mention, read_records
from mmoe.wikidata.dump import find_slice, has_slice
from mmoe.wikidata.index.build import build_from_slice
from mmoe.wikidata.label_index import write_label_index
from mmoe.wikidata.matching import Matching, distinct_surface_forms, names_meant_by
from mmoe.wikidata.name_table import NameTable
from mmoe.wikidata.query import find_in_index

from pipeline.layout import Layout


@dataclass(frozen=True)
class Question:
    """What every source is asked.

    Attributes:
        labels: folder for the label indexes that a source makes.
    """

    at: Layout
    params: RetrieveParams
    limits: WikidataParams
    mentions: Sequence[Mention]
    offline: bool
    labels: Path

    @property
    def matching(self) -> Matching:
        params = self.params
        return Matching(params.match, params.strip_suffix, params.max_candidates)


@dataclass(frozen=True)
class Found:
    """What a source gives.

    Attributes:
        counts: what retrieve.json says of this source beside the candidates.
        run: requests and the like, which depend on what is kept: for the log.
    """

    candidates: list[Candidate]
    counts: dict[str, Any] = field(default_factory=dict)
    run: dict[str, Any] = field(default_factory=dict)


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
    return Found([])


def _kb(q: Question) -> Found:
    names = NameTable.of_entities(read_records(q.at.entities, Entity))
    return Found(names.find(q.mentions, q.matching))


def _index(q: Question) -> Found:
    folder = Path(q.params.index) if q.params.index else q.labels / "index"
    if not q.params.index:
        build_from_slice(find_slice(q.at.raw), q.params.languages, folder)
    return Found(find_in_index(folder, q.mentions, q.matching))


def _api(q: Question) -> Found:
    from mmoe.wikidata.api import ApiSettings, find_items

    settings = ApiSettings(
        url=q.params.api_url,
        languages=tuple(q.params.languages),
        limits=q.limits,
        max_hits=q.params.max_hits,
        offline=q.offline or bool(os.environ.get("MMOE_OFFLINE")),
    )
    forms = distinct_surface_forms(q.mentions)
    names = [name for form in forms for name in names_meant_by(form, q.params.strip_suffix)]
    found = find_items(names, settings, match=q.params.match)
    source: dict[str, object] = {"url": q.params.api_url, "languages": q.params.languages}
    write_label_index(q.labels / "api", found.items, source)
    return Found(
        find_in_index(q.labels / "api", q.mentions, q.matching),
        {"surface_forms_cut": found.surface_forms_cut, "items_left_out": found.dropped},
        {
            "requests": found.requests,
            "retries": found.retries,
            "cache_hits": found.cache_hits,
        },
    )


SOURCES = {"index": _index, "api": _api, "kb": _kb, "none": _none}
