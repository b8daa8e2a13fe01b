"""The generator of the embedded data set data/raw/sample: records, images, Wikidata slice, small CLIP.

No stage imports it; `python -m tools.sample build` writes the folder again, to the same bytes.
"""
