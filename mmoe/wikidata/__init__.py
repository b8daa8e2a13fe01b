"""Wikidata items that may bear a mention's surface form, and what else can be made of them.

entity.py       what one item says, from the JSON of the dump and of the API
dump.py         the files of a dump, decompressed, line by line
selection.py    which kinds of items are left out
matching.py     when a name counts as a surface form
label_index.py  items and their names in Parquet; index/ makes it of a dump of any size
query.py        candidates from a label index or from a knowledge base, all mentions in one query
api/            candidates from Wikidata itself, asked politely, every answer kept
counts.py       how many candidates were found, and the recall of the gold entity
knowledge/      a knowledge base in our own format, of a dump or of the API
images/         images of items from Commons, with authors and licences
work.py         folders that one run at a time works on, and tables of JSON lines
"""
