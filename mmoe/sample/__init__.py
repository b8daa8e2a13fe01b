"""The generator of the embedded data set data/raw/sample: records, pictures, Wikidata slice, small CLIP.

No stage imports it; `python -m mmoe.sample build` writes the folder again, to the same bytes.
"""
