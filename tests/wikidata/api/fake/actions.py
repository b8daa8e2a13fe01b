"""What the API's modules answer, by their documented rules: limits, clamping, paging, absent keys."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tests.wikidata.api.fake.store import Json, Store, Term

DEEPEST = 10_000
SOFT_LIMIT = 50  # up to which wbsearchentities says how to go on
LANGUAGES = ("en", "de", "fr", "mul", "pt-br")

_ID = re.compile(r"[QPL][1-9][0-9]*")
_INLABEL = re.compile(r'inlabel:"([^"@]*)"')
_INLABELS = re.compile(rf"{_INLABEL.pattern}(?: {_INLABEL.pattern})*")
_PARTS = {
    "labels": ("labels",),
    "aliases": ("aliases",),
    "descriptions": ("descriptions",),
    "claims": ("claims",),
    "sitelinks": ("sitelinks",),
    "info": ("pageid", "ns", "title", "lastrevid", "modified"),
    "datatype": (),
}


class ApiError(Exception):
    """An error that the API tells inside HTTP 200."""

    def __init__(self, code: str, info: str, **more: Any) -> None:
        super().__init__(info)
        self.code, self.info, self.more = code, info, more


def act(
    store: Store, params: Mapping[str, str], most_phrase_hits: int, most_prefix_hits: int
) -> Json:
    """The answer to a request's parameters; hits are those of a page, whatever is asked for."""
    action = params.get("action")
    if action == "query" and params.get("list") == "search":
        return search(store, params, most_phrase_hits)
    if action == "wbsearchentities":
        return search_entities(store, params, most_prefix_hits)
    if action == "wbgetentities":
        return get_entities(store, params)
    raise ApiError("badvalue", f'Unrecognized value for parameter "action": {action}.')


def search(store: Store, params: Mapping[str, str], most: int) -> Json:
    query = _required(params, "srsearch")
    if len(query) > 300:
        raise ApiError(
            "cirrussearch-query-too-long", "Search request is longer than 300 characters."
        )
    if not _INLABELS.fullmatch(query):
        raise ApiError("fake-syntax", f"the fake does not know the query {query}")
    limit = _number(params, "srlimit", 10, most)
    offset = _number(params, "sroffset", 0, DEEPEST)
    found = store.in_labels(_INLABEL.findall(query))
    page = found[offset : min(offset + limit, DEEPEST)]
    hits = [{"ns": 0, "title": qid, "pageid": int(qid[1:])} for qid in page]
    answer: Json = {
        "batchcomplete": True,
        "query": {"searchinfo": {"totalhits": len(found)}, "search": hits},
    }
    if offset + limit < min(len(found), DEEPEST):
        answer["continue"] = {"sroffset": offset + limit, "continue": "-||"}
    return answer


def search_entities(store: Store, params: Mapping[str, str], most: int) -> Json:
    wanted, language = _required(params, "search"), _required(params, "language")
    if language not in LANGUAGES:
        raise ApiError("badvalue", f'Unrecognized value for parameter "language": {language}.')
    limit = _number(params, "limit", 7, most)
    offset = _number(params, "continue", 0, DEEPEST)
    # Any value makes a presence boolean true.
    found = store.by_prefix(wanted, language, strict="strictlanguage" in params)
    hits = [_hit(store.items[qid], term) for qid, term in found[offset : offset + limit]]
    answer: Json = {"searchinfo": {"search": wanted}, "search": hits}
    if len(found) > offset + limit and offset + limit <= SOFT_LIMIT:
        answer["search-continue"] = offset + limit
    return answer | {"success": 1}


def get_entities(store: Store, params: Mapping[str, str]) -> Json:
    if not params.get("ids"):
        raise ApiError("param-missing", "Either provide the item ids or pairs of sites and titles.")
    ids = params["ids"].split("|")
    if len(ids) > 50:
        raise ApiError("toomanyvalues", 'Too many values supplied for parameter "ids".')
    for one in ids:
        if not _ID.fullmatch(one):
            raise ApiError("no-such-entity", f"Could not find an entity with the ID {one}.", id=one)
    props = params.get("props", "info|sitelinks|aliases|labels|descriptions|claims|datatype")
    languages = params["languages"].split("|") if "languages" in params else None
    return {
        "entities": {
            one: _entity(store, one, props.split("|"), languages) for one in dict.fromkeys(ids)
        },
        "success": 1,
    }


def _entity(store: Store, qid: str, props: list[str], languages: list[str] | None) -> Json:
    target = store.redirects.get(qid, qid)
    if target not in store.items or target in store.deleted:
        return {"id": qid, "missing": ""}
    whole = store.items[target]
    entity: Json = {"type": whole["type"], "id": target}
    for prop in props:
        for key in _PARTS.get(prop, ()):
            entity[key] = whole[key]
    if target != qid:
        entity["redirects"] = {"from": qid, "to": target}
    for key in {"labels", "aliases", "descriptions"} & entity.keys():
        entity[key] = {
            code: term
            for code, term in entity[key].items()
            if languages is None or code in languages
        }
    return entity


def _hit(one: Json, term: Term) -> Json:
    """Without the description and the address, which nobody reads."""
    kind, code, text = term
    label = one["labels"].get("en") or one["labels"].get("mul")
    hit: Json = {"id": one["id"], "title": one["id"], "pageid": one["pageid"]}
    hit["display"] = {"label": label} if label else {}
    hit["match"] = {"type": kind, "language": code, "text": text}
    if label is None or text != label["value"]:
        hit["aliases"] = [text]
    return hit


def _required(params: Mapping[str, str], name: str) -> str:
    if not params.get(name):
        raise ApiError("missingparam", f'The "{name}" parameter must be set.')
    return params[name]


def _number(params: Mapping[str, str], name: str, default: int, most: int) -> int:
    """Above the maximum it is cut to it."""
    return min(int(params.get(name, default)), most)
