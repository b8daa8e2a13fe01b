"""The label index of a whole Wikidata dump, made in one reading, in little memory.

build.py      the order of events: read, sort, write
extract.py    a block's items and names; every line is kept or counted by reason
tally.py      how many lines were kept and skipped
parts.py      one file: its blocks become chunks; those that a killed run had finished are read past
workers.py    the blocks over several processes
on_ray.py     the files of a folder over Ray Data, instead
merge.py      all chunks, sorted, without repetitions, as the final tables
"""
