"""The label index of a whole Wikidata dump, made in one reading, in little memory.

build.py      the order of events: read, sort, write
request.py    what is asked for: languages and kinds
stream.py     the dump's files, decompressed, in blocks of whole lines
extract.py    a block's items and names; every line is kept or counted by reason
part.py       one file: its blocks become chunks, finished ones are read past
chunks.py     finished chunks in the work folder
pool.py       the blocks over several processes
on_ray.py     the files of a folder over Ray Data, instead
merge.py      all chunks, sorted, without repetitions, as the final tables
"""
