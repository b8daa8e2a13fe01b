"""The properties of which attributes are made: those if nobody chooses others, or all that an item states."""

from __future__ import annotations

from typing import Any

from mmoe.wikidata.entity import map_of

# Others say nothing to a reader: ids elsewhere, addresses, files, coordinates, formulae, notes, lexemes.
READABLE = frozenset(("wikibase-item", "string", "monolingualtext", "quantity", "time"))

# In the order in which they are written: a text encoder may cut the end off, so what tells namesakes apart
# comes first. The English names stand in for labels that a slice without property entities does not hold.
DEFAULT_PROPERTIES = {
    "P31": "instance of",
    "P279": "subclass of",
    # persons
    "P106": "occupation",
    "P39": "position held",
    "P641": "sport",
    "P101": "field of work",
    "P27": "country of citizenship",
    "P21": "sex or gender",
    "P569": "date of birth",
    "P19": "place of birth",
    "P570": "date of death",
    # places
    "P17": "country",
    "P131": "located in the administrative territorial entity",
    "P30": "continent",
    "P1376": "capital of",
    # works
    "P50": "author",
    "P57": "director",
    "P175": "performer",
    "P170": "creator",
    "P178": "developer",
    "P136": "genre",
    "P495": "country of origin",
    "P577": "publication date",
    # organisations and events
    "P452": "industry",
    "P1056": "product or material produced or service provided",
    "P112": "founded by",
    "P571": "inception",
    "P159": "headquarters location",
    "P585": "point in time",
    # living beings and the rest
    "P171": "parent taxon",
    "P361": "part of",
}

# Of readable data types, but for those who keep the wikis in order. Only those who name them get them.
HOUSEKEEPING = {
    # pages of Commons and Wikipedia
    "P373": "Commons category",
    "P935": "Commons gallery",
    "P1472": "Commons Creator page",
    "P1612": "Commons Institution page",
    "P910": "topic's main category",
    "P1464": "category for people born here",
    "P1465": "category for people who died here",
    "P1792": "category of associated people",
    "P7084": "related category",
    "P1151": "topic's main Wikimedia portal",
    "P1424": "topic's main template",
    "P2354": "has list",
    # work on items
    "P5008": "on focus list of Wikimedia project",
    "P6104": "maintained by WikiProject",
    "P2959": "permanent duplicated item",
    # where else a thing is described
    "P528": "catalog code",
    "P972": "catalog",
    "P1343": "described by source",
}


def readable_properties(entity: dict[str, Any], where: str) -> list[str]:
    """The properties of which an item makes statements that say something to a reader, in its own order.

    Left out are data types that are not readable, and what is for the wikis' housekeeping. A property whose
    data type the source does not tell is taken: its values show whether they have a text.

    Raises:
        WikidataError: if the claims are not of the documented form.
    """
    claims = map_of(entity, "claims", where)
    return [prop for prop in claims if prop not in HOUSEKEEPING and _is_readable(claims[prop])]


def _is_readable(statements: Any) -> bool:
    # What the first one says: all of a property are of one type.
    first = statements[0] if isinstance(statements, list) and statements else None
    snak = first.get("mainsnak") if isinstance(first, dict) else None
    datatype = snak.get("datatype") if isinstance(snak, dict) else None
    return not isinstance(datatype, str) or datatype in READABLE
