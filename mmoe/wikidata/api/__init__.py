"""Items that bear a word, asked politely of the Wikidata API: `find_items` and what it needs."""

from mmoe.wikidata.api.client import find_items
from mmoe.wikidata.api.found import FoundItems
from mmoe.wikidata.api.settings import ApiSettings, settings_from_environment

__all__ = ["ApiSettings", "FoundItems", "find_items", "settings_from_environment"]
