"""Images of items from Wikimedia Commons, each with its author and licence.

infos.py      name -> where its thumbnail lies, author, licence
fetch.py      one address -> an image that can be decoded, or the reason why not
collect.py    all addresses, one after another, into a folder with a table of authors and licences
add.py        from a list of items, by the names of their images, to images in a data set's entities.jsonl
"""
