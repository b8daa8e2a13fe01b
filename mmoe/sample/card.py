"""The data card that lies beside the sample; the numbers are filled in when it is built."""

from __future__ import annotations

CARD = """\
# The embedded sample

A small data set in our own format, made so that every path of the pipeline runs within minutes on a laptop.

| file | content |
|---|---|
| `mentions.jsonl` | {mentions} mentions ({train} train, {valid} valid, {test} test), {nil} nil |
| `entities.jsonl` | knowledge base of {entities} entities |
| `mention_images/` | drawn pictures (PNG, 224 x 224) of {mentions_with_picture} mentions |
| `entity_images/` | drawn pictures, one or two, of {entities_with_picture} entities |
| `wikidata.jsonl` | {wikidata_items} items in the line format of the Wikidata dump |
| `clip/` | a CLIP of two layers in Hugging Face's layout, float16 |

Made by `python -m mmoe.sample build` from the authored catalogue `mmoe/sample/catalogue.json` and
one seed; running it again gives the same records, pictures and weights.

- Entities are real Wikidata items with well-known facts; the sentences were written for this data
  set. Most words are ambiguous: *Mercury* may be a planet, a metal, a god, a singer, or a cat that
  no knowledge base knows.
- The last of an entity's three sentences is held out, for validation and test by turns; entities
  with one sentence are never seen in training. No sentence and no picture stands in two splits.
- A few mentions are nil, a few mean an item that only the Wikidata slice holds, one entity is
  missing from the slice, and some mentions and entities have no picture.
- The slice holds items beside the knowledge base, so that a word has no, one or several candidates.
  One label stands under `mul` only, one alias map is `[]`, one line is a property. Sitelinks are a
  few of the real ones.

Limits: the weights of the CLIP are random, so its features carry colour and word identity but no
meaning, and scores on this sample say nothing about a method. Pictures are drawn by kind and
colour; they are no likenesses.

Licence: CC0 1.0.
"""
