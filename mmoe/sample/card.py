"""The data card that lies beside the sample, and its contact sheet."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

from mmoe.files import whole_file
from mmoe.sample.drawing import KINDS, Scene, contact_sheet
from mmoe.sample.world import World, WorldEntity

COLUMNS = 8
OF_EACH_KIND = 2

CARD = """\
# The embedded sample

A small world in our own format in which names are shared: *Mercury* is a planet, a metal, a god, a make of cars
and a singer. It is made so that a reader learns the method by playing, and so that every path of the pipeline
runs within minutes on a laptop.

![Two entities of each kind of drawing](contact-sheet.png)

| file | content |
|---|---|
| `mentions.jsonl` | {mentions} mentions: {train} train, {valid} valid, {test} test |
| `entities.jsonl` | knowledge base of {entities} entities of {kinds} kinds, under {names} shared names |
| `mention_images/` | drawn pictures (PNG, 224 x 224) of {mentions_with_picture} mentions |
| `entity_images/` | drawn pictures, one or two, of {entities_with_picture} entities |
| `wikidata.jsonl` | {wikidata_items} items in the line format of the Wikidata dump |
| `clip/` | a small CLIP in Hugging Face's layout, trained on other drawings; its card is there |

## What a mention needs

| `needs` | mentions | what decides |
|---|---|---|
| `text` | {text} | the words of the sentence; most have a picture of the entity too |
| `picture` | {picture} | the picture alone: the sentence says nothing, and the word is the shared name |
| `description` | {description} | the Wikidata description of an alias (Hg, Stilbon) that is unlike the name; the sentence says nothing and the picture, if any, shows a bare background |
| none | {nil} and {outside} | nothing: {nil} nil mentions, and {outside} of items that only the Wikidata slice holds |

Each family is split 60 / 15 / 25 by mention; `data.split: entity` splits by entity instead, so that the entities of
valid and test are unseen. No context and no picture stands twice, no two pictures look alike to the perceptual hash
of the audit, and no mention shows a file of an entity.

## How it is made

`python -m mmoe.sample build` writes everything but the CLIP from the authored files in `mmoe/sample/world` and one
seed; running it again gives the same bytes (with the same Pillow). `python -m mmoe.sample train-clip` trains the CLIP.
Pictures follow from four words for each entity: kind, colour, background, number.

- Entities are real Wikidata items with well-known facts and their real ids; every sentence was written for this data
  set. Descriptions are in our own words.
- The slice also holds items that are not in the knowledge base, so that a word has no, one or several candidates. Some
  labels stand under `mul` only, empty alias maps are `[]`, one line is a property. Sitelinks are one for every ten real
  ones, and their titles are the label.

## Limits

Pictures show what a thing is and in which colour, no likenesses; colours of people, cities and firms are arbitrary,
the same in all pictures of one entity. Sitelinks and some aliases are from memory. Scores on this sample show what
each part of a method does, not how good a method is on real data.

Licence: CC0 1.0.
"""


def write_sheet(file: Path, world: World, seed: int) -> None:
    """Draws the first entities of each kind, as many kinds as the world has, with their names."""
    shown = [
        entity
        for kind in KINDS
        for entity in [e for e in world.entities if e.kind == kind][:OF_EACH_KIND]
    ]
    sheet = contact_sheet([(_look(entity), entity.name) for entity in shown], COLUMNS, seed)
    stream = io.BytesIO()
    few = sheet.quantize(256, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    few.save(stream, "PNG", optimize=True)
    with whole_file(file) as temporary:
        temporary.write_bytes(stream.getvalue())


def _look(entity: WorldEntity) -> Scene:
    return Scene(entity.kind, entity.colour, entity.background)
