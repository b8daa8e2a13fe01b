"""Images of items from Wikimedia Commons, each with its author and licence.

names.py      item -> the name of its image on Commons
widths.py     the widths that Commons serves
infos.py      name -> where its thumbnail lies, author, licence
fetch.py      one address -> an image that can be decoded, or the reason why not
work.py       what has arrived and what failed, for a run after a kill
collect.py    the order of events
tables.py     licences.jsonl, and the images' places in entities.jsonl
"""
