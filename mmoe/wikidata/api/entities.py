"""Items by their ids: first only the names of all hits, then the whole of those that bear a surface form.

A hit list holds many items that merely contain the surface form. An item weighs some 14 kB of JSON on average
(1.6 TB for 118 million in 2026), its names in two languages some hundred bytes; so names are asked for
apart, and whole items only where they are wanted. It costs one request more for every fifty candidates.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmoe.wikidata.api.ask import Api, Json, Question, wrong_form
from mmoe.wikidata.entity import DEFAULT_LANGUAGE, Item, is_qid, read_item

NAMES, ITEMS = "names", "items"  # kinds of answers
PROPS = {NAMES: "labels|aliases", ITEMS: "info|labels|aliases|descriptions|claims|sitelinks"}
MAX_IDS = 50  # that the API takes at once


def question_about(kind: str, qids: Sequence[str], languages: Sequence[str]) -> Question:
    """The question for names or whole items; its answers are kept one by one."""
    assert all(is_qid(qid) for qid in qids), "one malformed id would fail the whole batch"
    codes = sorted({*languages, DEFAULT_LANGUAGE})
    params = {"action": "wbgetentities", "props": PROPS[kind], "languages": "|".join(codes)}
    return Question(kind, params, tuple(dict.fromkeys(qids)))


def batches(qids: Sequence[str]) -> list[list[str]]:
    """In the sizes that the API takes."""
    return [list(qids[start : start + MAX_IDS]) for start in range(0, len(qids), MAX_IDS)]


def ask_for_entities(api: Api, question: Question) -> dict[str, Json]:
    """The entities, by the id under which they were asked for: a redirect gives its target.

    Raises:
        NotKeptError: if the run is offline and some are not kept.
        WikidataError: if one is not of the documented form.
    """

    def split(answer: Json, ids: tuple[str, ...]) -> dict[str, Json]:
        entities = answer.get("entities")
        if not isinstance(entities, dict):
            raise wrong_form("`entities`")
        return {qid: _checked(entities.get(qid), qid, api) for qid in ids}

    return api.ask(question, split)


def item_of(entity: Json, api: Api) -> Item | None:
    """The item that an answer describes; None for one that does not exist any more."""
    if is_missing(entity):
        return None
    return read_item(entity, api.settings.languages, api.settings.url)


def is_missing(entity: Json) -> bool:
    """Whether an answer says that there is no such item."""
    return "missing" in entity


def _checked(entity: Any, qid: str, api: Api) -> Json:
    """Lets an entity pass that can be read; others must not be kept."""
    if not isinstance(entity, dict) or not is_qid(entity.get("id")):
        raise wrong_form(f"an entity under {qid}")
    item_of(entity, api)
    return entity
