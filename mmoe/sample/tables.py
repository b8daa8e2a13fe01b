"""The sample's two tables and its pictures, from the catalogue and a seed."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any

from mmoe.files import whole_file, write_text
from mmoe.sample.catalogue import Catalogue, SampleEntity
from mmoe.sample.scenes import draw

MENTION_PICTURES, ENTITY_PICTURES = "mention_images", "entity_images"
NO_MENTION_PICTURE = 0.15  # share of the mentions, drawn by lot
NO_ENTITY_PICTURE = 0.15
SECOND_ENTITY_PICTURE = 0.2


@dataclass(frozen=True)
class Drawing:
    """A picture to draw: its file below the folder, what it shows, and in which colour."""

    file: str
    kind: str
    colour: str


def rng_for(seed: int, *names: str) -> random.Random:
    """A stream of its own for each purpose, so that a new entity does not change the old pictures."""
    return random.Random(f"{seed}:{':'.join(names)}")  # noqa: S311 - pictures are no secret


def sample_mentions(catalogue: Catalogue, seed: int) -> tuple[list[dict[str, Any]], list[Drawing]]:
    """Rows of mentions.jsonl in split order, and the pictures they name."""
    linked = [
        (split, word, context, entity.qid, entity.kind, entity.colour)
        for entity, splits in zip(catalogue.entities, _splits(catalogue.entities), strict=True)
        for split, (word, context) in zip(splits, entity.contexts, strict=True)
    ]
    free = [(u.split, u.word, u.context, u.gold_qid, u.kind, u.colour) for u in catalogue.unlinked]
    rows, drawings = [], []
    for wanted in ("train", "valid", "test"):
        mentions = [mention for mention in (*linked, *free) if mention[0] == wanted]
        rng_for(seed, wanted).shuffle(mentions)
        for number, (split, word, context, gold, kind, colour) in enumerate(mentions, start=1):
            name = f"{split}-{number:03}"
            has_picture = rng_for(seed, name).random() >= NO_MENTION_PICTURE
            picture = None
            if kind is not None and colour is not None and has_picture:
                picture = f"{MENTION_PICTURES}/{name}.png"
                drawings.append(Drawing(picture, kind, colour))
            row = {"mention_id": name, "word": word, "context": context, "picture": picture}
            rows.append(row | {"gold_qid": gold, "split": split})
    return rows, drawings


def _splits(entities: list[SampleEntity]) -> Iterator[list[str]]:
    """The split of each context: of three, or of one, the last is held out, for valid and test by turns.

    An entity with one context is therefore never seen in training.
    """
    held_out = cycle(("valid", "test"))
    for entity in entities:
        number = len(entity.contexts)
        is_held_out = number == 1 or number >= 3
        yield ["train"] * (number - is_held_out) + [next(held_out)] * is_held_out


def sample_entities(catalogue: Catalogue, seed: int) -> tuple[list[dict[str, Any]], list[Drawing]]:
    """Rows of entities.jsonl and the pictures they name: none, one or two."""
    rows, drawings = [], []
    for entity in catalogue.entities:
        lot = rng_for(seed, entity.qid).random()
        number = 0 if lot < NO_ENTITY_PICTURE else 2 if lot > 1 - SECOND_ENTITY_PICTURE else 1
        files = [f"{ENTITY_PICTURES}/{entity.qid}-{i}.png" for i in range(1, number + 1)]
        drawings += [Drawing(file, entity.kind, entity.colour) for file in files]
        row = {"qid": entity.qid, "name": entity.name, "attributes": entity.attributes}
        rows.append(row | {"pictures": files})
    return rows, drawings


def write_tables(folder: Path, catalogue: Catalogue, seed: int) -> dict[str, int]:
    """Writes both tables and all pictures; returns what the data card counts."""
    mentions, mention_drawings = sample_mentions(catalogue, seed)
    entities, entity_drawings = sample_entities(catalogue, seed)
    for name, rows in (("mentions", mentions), ("entities", entities)):
        lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        write_text(folder / f"{name}.jsonl", "".join(lines))
    write_pictures(folder, [*mention_drawings, *entity_drawings], seed)
    return {
        "mentions": len(mentions),
        **{s: sum(row["split"] == s for row in mentions) for s in ("train", "valid", "test")},
        "nil": sum(row["gold_qid"] is None for row in mentions),
        "mentions_with_picture": len(mention_drawings),
        "entities": len(entities),
        "entities_with_picture": sum(bool(row["pictures"]) for row in entities),
    }


def write_pictures(folder: Path, drawings: list[Drawing], seed: int) -> None:
    """Draws all pictures and removes those of an earlier catalogue."""
    for drawing in drawings:
        picture = draw(drawing.kind, drawing.colour, rng_for(seed, drawing.file))
        with whole_file(folder / drawing.file) as temporary:
            picture.save(temporary, format="PNG", optimize=True)
    wanted = {folder / drawing.file for drawing in drawings}
    for pictures in (MENTION_PICTURES, ENTITY_PICTURES):
        for stale in set((folder / pictures).glob("*.png")) - wanted:
            stale.unlink()
