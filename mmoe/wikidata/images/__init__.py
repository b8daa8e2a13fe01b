"""Images of items from Wikimedia Commons, each with its author and licence.

infos.py      name -> where its thumbnail lies, author, licence
fetch.py      one address -> an image that can be decoded, or the reason why not
folder.py     the tables of a folder of images, and what a killed run leaves there
collect.py    the order of events; all addresses, one after another
add.py        from a list of items, by the names of their images, to images in a data set's entities.jsonl
"""
