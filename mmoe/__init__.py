"""mmoe: multimodal entity linking, from a sentence, a mention and a picture to a Wikidata entity."""
