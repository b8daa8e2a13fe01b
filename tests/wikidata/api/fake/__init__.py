"""A Wikidata of our own on the loopback: it answers, matches, limits and fails as the real one does."""
