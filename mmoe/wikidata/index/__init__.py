"""The label index of a whole Wikidata dump, made in one reading, in little memory.

build.py      the order of events: read, sort, write
extract.py    a block's items and names; every line is kept or counted by reason
parts.py      one file: its blocks become chunks, by one or several processes; finished ones are read past
on_ray.py     the files of a folder over Ray Data, instead
merge.py      all chunks, sorted, without repetitions, as the final tables
"""
