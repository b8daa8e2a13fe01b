"""Items that bear a surface form, asked politely of the Wikidata API: `find_items` and what it needs."""

from mmoe.wikidata.api.find import FoundItems, find_items
from mmoe.wikidata.api.settings import ApiSettings

__all__ = ["ApiSettings", "FoundItems", "find_items"]
