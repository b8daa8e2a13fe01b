"""The properties of which attributes are made: those if nobody chooses others, or all that an item states."""

from __future__ import annotations

from typing import Any

from mmoe.wikidata.entity import data_types

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


def readable_properties(entity: dict[str, Any], where: str) -> list[str]:
    """The properties of which an item makes statements that say something to a reader, in its own order.

    A property whose data type the source does not tell is among them: its values show whether they have
    a text.

    Raises:
        WikidataError: if the claims are not of the documented form.
    """
    types = data_types(entity, where)
    return [prop for prop, found in types.items() if found is None or found in READABLE]
