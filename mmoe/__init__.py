"""mmoe: multimodal entity linking, from a sentence, a mention and an image to a Wikidata entity."""
