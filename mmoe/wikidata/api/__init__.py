"""Items that bear a surface form, asked politely of the Wikidata API: `find_items` and what it needs.

find.py       the items of many surface forms: search, compare names, fetch
search.py     the hits of one surface form, and whether they are all
phrases.py    what the search is asked for
entities.py   names, items and properties by their ids, fifty at a time
ask.py        a question: answered from the cache, or by the server once
cache.py      answers kept on disk
session.py    one request, repeated where that helps
answers.py    what an answer means: take it, ask again later, or give up
pace.py       when the next request may leave
settings.py   whom the client asks, in whose name
"""

from mmoe.wikidata.api.find import FoundItems, find_items
from mmoe.wikidata.api.settings import ApiSettings

__all__ = ["ApiSettings", "FoundItems", "find_items"]
