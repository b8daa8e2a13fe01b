"""The commands of `python -m mmoe.wikidata`, one module each."""
