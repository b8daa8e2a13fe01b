"""A knowledge base in our own format out of Wikidata's items: choosing them, wording them, writing them."""
