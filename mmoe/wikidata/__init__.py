"""Wikidata items that bear a mention's word: one function per source, each returning candidates."""
