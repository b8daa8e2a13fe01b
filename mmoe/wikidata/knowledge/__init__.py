"""A knowledge base in our own format out of Wikidata's items: choosing them, wording them, writing them.

request.py      what the user asks for: which items, and what is written of them
properties.py   the properties of which attributes are made
chooser.py      an item, if it is asked for, as a draft; every other is counted by reason
drafts.py       values as text, and attributes once the labels are known
build.py        the chosen items of a dump, and their labels, in two readings
from_api.py     the same of the API's items
write.py        the tables, of either
"""
