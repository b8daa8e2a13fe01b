"""Entities by their ids: first only the names of all hits, then the whole of those that bear a surface form.

A hit list holds many items that merely contain the surface form. An item weighs some 14 kB of JSON on
average (1.6 TB for 118 million in 2026), its names in two languages some hundred bytes; so names are asked
for apart, and whole items only where they are wanted. It costs one request more for every fifty candidates.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mmoe.wikidata.api.ask import Api, Json, Question, wrong_form
from mmoe.wikidata.entity import DEFAULT_LANGUAGE, Item, is_qid, read_item

NAMES, ITEMS, PROPERTIES = "names", "items", "properties"  # kinds of answers
PROPS = {
    NAMES: "labels|aliases",
    ITEMS: "info|labels|aliases|descriptions|claims|sitelinks",
    PROPERTIES: "labels",
}
MAX_IDS = 50  # that the API takes at once


def question_about(kind: str, ids: Sequence[str], languages: Sequence[str]) -> Question:
    """The question for names, whole items or properties; its answers are kept one by one."""
    assert kind == PROPERTIES or all(map(is_qid, ids)), (
        "one malformed id would fail the whole batch"
    )
    codes = sorted({*languages, DEFAULT_LANGUAGE})
    params = {"action": "wbgetentities", "props": PROPS[kind], "languages": "|".join(codes)}
    return Question(kind, params, tuple(dict.fromkeys(ids)))


def batches(ids: Sequence[str]) -> list[list[str]]:
    """In the sizes that the API takes."""
    return [list(ids[start : start + MAX_IDS]) for start in range(0, len(ids), MAX_IDS)]


def entities_of(api: Api, kind: str, ids: Sequence[str]) -> Iterator[tuple[str, Json]]:
    """(id, entity) of each, whatever the id redirects to, in requests of fifty.

    Raises:
        NotKeptError, WikidataError: as `ask_for_entities`.
    """
    groups = batches(ids)
    api.bar.expect(len(groups))
    for group in groups:
        yield from ask_for_entities(api, kind, group).items()


def ask_for_entities(api: Api, kind: str, ids: Sequence[str]) -> dict[str, Json]:
    """At most fifty entities, by the id under which they were asked for: a redirect gives its target.

    Raises:
        NotKeptError: if the run is offline and some are not kept.
        WikidataError: if one is not of the documented form.
    """

    def check(answer: Json, asked: Sequence[str]) -> None:
        entities = answer.get("entities")
        if not isinstance(entities, dict):
            raise wrong_form("`entities`")
        for name in asked:
            entity = entities.get(name)
            if not isinstance(entity, dict) or not isinstance(entity.get("id"), str):
                raise wrong_form(f"an entity under {name}")
            item_of(entity, api)  # what can't be read must not be kept

    return api.ask(question_about(kind, ids, api.settings.languages), check)


def item_of(entity: Json, api: Api) -> Item | None:
    """The item that an answer describes; None for a property, or an item that does not exist any more."""
    if is_missing(entity):
        return None
    return read_item(entity, api.settings.languages, api.settings.url)


def is_missing(entity: Json) -> bool:
    """Whether an answer says that there is no such entity."""
    return "missing" in entity
