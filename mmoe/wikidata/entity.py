"""What an item says, from the JSON that the dump, the Action API and Special:EntityData share."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from mmoe.errors import WikidataError
from mmoe.names import normalise_name

DEFAULT_LANGUAGE = "mul"  # Wikidata's "default for all languages"
INSTANCE_OF, IMAGE = "P31", "P18"
LABEL, ALIAS = "label", "alias"

_QID = re.compile(r"Q[1-9][0-9]*")
_NOT_WIKIPEDIA = frozenset(
    f"{name}wiki"
    for name in (
        *("commons", "foundation", "incubator", "mediawiki", "meta", "outreach", "sources"),
        *("species", "wikidata", "wikifunctions", "wikimania"),
    )
)


@dataclass(frozen=True, slots=True)
class Name:
    """One name of an item as it is written.

    Attributes:
        kind: label or alias.
        language: in which it stands; `mul` for all languages.
    """

    text: str
    kind: str
    language: str


@dataclass(frozen=True, slots=True)
class Item:
    """What retrieval reads of an item.

    Attributes:
        label: in the first language that has one, `mul` last; None if none has.
        description: as label.
        names: labels and aliases in all chosen languages and `mul`, in that order, repetitions included.
        instance_of: qids of the best-ranked statements.
        image: the first best-ranked file name on Commons, with spaces and without `File:`.
        sitelinks: number of Wikipedia articles; None where the source leaves sitelinks out.
        modified: when it was last edited, as it is written; None where the source does not say.
    """

    qid: str
    label: str | None
    description: str | None
    names: tuple[Name, ...] = ()
    instance_of: tuple[str, ...] = ()
    image: str | None = None
    sitelinks: int | None = None
    modified: str | None = None

    @property
    def aliases(self) -> tuple[str, ...]:
        """The aliases in all languages, each once."""
        return tuple(dict.fromkeys(name.text for name in self.names if name.kind == ALIAS))

    @property
    def normalised_names(self) -> frozenset[str]:
        """Labels and aliases in the form in which names are compared; empty ones are left out."""
        return frozenset(filter(None, (normalise_name(name.text) for name in self.names)))


def read_item(entity: Any, languages: Sequence[str], where: str) -> Item | None:
    """The item that a JSON entity describes; None for a property, a lexeme and the like.

    Args:
        languages: of labels, descriptions and aliases, best first; `mul` stands in and is added.
        where: what an error message begins with.
    Raises:
        WikidataError: if the entity is not of the documented form.
    """
    if not isinstance(entity, dict):
        raise WikidataError(f"{where}: must be one entity, found {type(entity).__name__}")
    kind, qid = entity.get("type"), entity.get("id")
    if not isinstance(kind, str):
        raise WikidataError(f"{where}: key `type` is missing; add item, property or lexeme")
    if kind != "item":
        return None
    if not is_qid(qid):
        raise WikidataError(f"{where}: key `id` must be Q and a number, found {qid!r}")
    where = f"{where}, item {qid}"
    codes = tuple(dict.fromkeys((*languages, DEFAULT_LANGUAGE)))
    labels = [
        Name(text, LABEL, code) for code, text in _terms(entity, "labels", codes, where).items()
    ]
    aliases = _aliases(map_of(entity, "aliases", where), codes, f"{where}, key `aliases`")
    descriptions = _terms(entity, "descriptions", codes, where)
    images = best_values(entity, IMAGE, where)
    modified = entity.get("modified")
    return Item(
        qid=str(qid),
        label=labels[0].text if labels else None,
        description=next(iter(descriptions.values()), None),
        names=(*labels, *aliases),
        instance_of=tuple(dict.fromkeys(best_ids(entity, INSTANCE_OF, where))),
        image=next((value for value in images if isinstance(value, str)), None),
        sitelinks=_num_articles(map_of(entity, "sitelinks", where))
        if "sitelinks" in entity
        else None,
        modified=modified if isinstance(modified, str) else None,
    )


def is_qid(value: Any) -> bool:
    """Whether a value is an item's id: Q and a number without leading zero."""
    return isinstance(value, str) and _QID.fullmatch(value) is not None


def qid_number(qid: str) -> int:
    """The number of a qid, by which items are put in order."""
    return int(qid.removeprefix("Q"))


def best_values(entity: dict[str, Any], prop: str, where: str) -> list[Any]:
    """The values of a property's best-ranked statements, in their order.

    Preferred statements stand alone where there are any; deprecated ones, and values that are unknown
    or known to be none, are left out.

    Returns:
        What stands under `datavalue.value`: a string, or an object such as {"id": "Q5", …}.
    """
    statements = map_of(entity, "claims", where).get(prop, [])
    if not isinstance(statements, list):
        raise WikidataError(f"{where}, key `claims`: {prop} must be a list of statements")
    ranked: dict[str, list[Any]] = {"preferred": [], "normal": []}
    for statement in statements:
        snak = statement.get("mainsnak") if isinstance(statement, dict) else None
        if not isinstance(snak, dict):
            raise WikidataError(f"{where}, key `claims`: a statement of {prop} has no `mainsnak`")
        rank = statement.get("rank", "normal")
        if rank not in ranked:
            continue
        values = ranked[rank]
        if snak.get("snaktype", "value") != "value":
            # It still outranks the others: the best that is known may be that nothing is.
            values.append(None)
            continue
        value = snak.get("datavalue")
        if not isinstance(value, dict) or "value" not in value:
            raise WikidataError(f"{where}, key `claims`: a value of {prop} has no `datavalue`")
        values.append(value["value"])
    best = ranked["preferred"] or ranked["normal"]
    return [value for value in best if value is not None]


def best_ids(entity: dict[str, Any], prop: str, where: str) -> list[str]:
    """The ids of the items that a property's best-ranked statements name, in their order.

    Raises:
        WikidataError: if a value has none.
    """
    ids = []
    for value in best_values(entity, prop, where):
        # numeric-id is missing for some kinds of entities.
        name = value.get("id") if isinstance(value, dict) else None
        if not isinstance(name, str):
            raise WikidataError(f"{where}, key `claims`: a value of {prop} has no `id`")
        ids.append(name)
    return ids


def label_of(entity: dict[str, Any], languages: Sequence[str]) -> str | None:
    """An item's or a property's label in the first language that has one, `mul` last."""
    labels = entity.get("labels")
    for code in (*languages, DEFAULT_LANGUAGE):
        term = labels.get(code) if isinstance(labels, dict) else None
        value = term.get("value") if isinstance(term, dict) else None
        if isinstance(value, str) and value.strip():
            return " ".join(value.split())
    return None


def map_of(entity: dict[str, Any], key: str, where: str) -> dict[str, Any]:
    """A map of the entity; older serialisers write an empty one as [].

    Raises:
        WikidataError: if something else stands there.
    """
    value = entity.get(key, {})
    if isinstance(value, dict):
        return value
    if value == []:
        return {}
    raise WikidataError(f"{where}, key `{key}`: must be an object, found {type(value).__name__}")


def _terms(entity: dict[str, Any], key: str, codes: Sequence[str], where: str) -> dict[str, str]:
    """The text in each language that has one, in the order of the languages."""
    terms = map_of(entity, key, where)
    return {code: _text(terms[code], f"{where}, key `{key}`") for code in codes if code in terms}


def _aliases(terms: dict[str, Any], codes: Sequence[str], where: str) -> Iterator[Name]:
    for code in codes:
        entries = terms.get(code, [])
        if not isinstance(entries, list):
            raise WikidataError(f"{where}, language {code}: must be a list")
        for entry in entries:
            yield Name(_text(entry, where), ALIAS, code)


def _text(term: Any, where: str) -> str:
    value = term.get("value") if isinstance(term, dict) else None
    if not isinstance(value, str):
        raise WikidataError(f"{where}: a term must be an object whose `value` is text")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise WikidataError(
            f"{where}: holds half a surrogate pair; write the character whole"
        ) from None
    return value


def _num_articles(sitelinks: dict[str, Any]) -> int:
    return sum(site.endswith("wiki") and site not in _NOT_WIKIPEDIA for site in sitelinks)
