"""The sample's two tables and its pictures, from the world, its knowledge base and a seed."""

from __future__ import annotations

import json
import random
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import imagehash
from PIL import Image

from mmoe.files import write_text
from mmoe.sample.drawing import Scene, draw, draw_backdrop, save_picture
from mmoe.sample.mentions import SPLITS, look_of, plan_mentions
from mmoe.sample.world import World, WorldEntity

MENTION_PICTURES, ENTITY_PICTURES = "mention_images", "entity_images"
NO_ENTITY_PICTURE, TWO_ENTITY_PICTURES = 0.25, 0.1
ALIKE = 4  # bits of 64 within which two pictures look alike, as data.picture_distance
TRIES = 40


@dataclass(frozen=True)
class Drawing:
    """A picture to draw: its file below the folder, and what it shows, or a background alone."""

    file: str
    shows: Scene | str


def rng_for(seed: int, *names: str) -> random.Random:
    """A stream of its own for each purpose, so that a new entity does not change the old pictures."""
    return random.Random(f"{seed}:{':'.join(names)}")  # noqa: S311 - pictures are no secret


def mention_rows(
    world: World, pictured: Collection[str], seed: int
) -> tuple[list[dict[str, Any]], list[Drawing]]:
    """Rows of mentions.jsonl, and the pictures they name.

    Args:
        pictured: qids of the entities that have a picture.
    """
    rows, drawings = [], []
    planned = plan_mentions(world, pictured, rng_for(seed, "mentions"))
    for number, mention in enumerate(planned, start=1):
        shows = mention.look or mention.backdrop
        picture = None if shows is None else f"{MENTION_PICTURES}/m{number:04}.png"
        if picture is not None and shows is not None:
            drawings.append(Drawing(picture, shows))
        rows.append(
            {
                "mention_id": f"m{number:04}",
                "word": mention.word,
                "context": mention.context,
                "picture": picture,
                "gold_qid": mention.gold_qid,
                "split": mention.split,
                "needs": mention.needs,
            }
        )
    return rows, drawings


def entity_rows(
    world: World, known: Sequence[dict[str, Any]], seed: int
) -> tuple[list[dict[str, Any]], list[Drawing]]:
    """Rows of entities.jsonl and the pictures they name: none, one or two, never a mention's.

    Args:
        known: the rows without pictures, one for each entity of the world, in its order.
    """
    rows, drawings = [], []
    lots = _even_lots(world.entities, rng_for(seed, "entities"))
    for entity, row, lot in zip(world.entities, known, lots, strict=True):
        assert row["qid"] == entity.qid, f"{row['qid']} stands where {entity.qid} should"
        number = 0 if lot < NO_ENTITY_PICTURE else 2 if lot > 1 - TWO_ENTITY_PICTURES else 1
        files = [f"{ENTITY_PICTURES}/{entity.qid}-{i}.png" for i in range(1, number + 1)]
        drawings += [Drawing(file, look_of(entity, rng_for(seed, file))) for file in files]
        rows.append(row | {"pictures": files})
    return rows, drawings


def _even_lots(entities: Iterable[WorldEntity], rng: random.Random) -> list[float]:
    """A lot from 0 to 1 for each entity, evenly spread, so that shares come out as they are meant."""
    number = len(list(entities))
    return rng.sample([(i + 0.5) / number for i in range(number)], number)


def write_tables(
    folder: Path, world: World, known: Sequence[dict[str, Any]], seed: int
) -> dict[str, int]:
    """Writes both tables and all pictures; returns what the data card counts.

    Args:
        known: as for `entity_rows`.
    """
    entities, entity_drawings = entity_rows(world, known, seed)
    pictured = {str(row["qid"]) for row in entities if row["pictures"]}
    mentions, mention_drawings = mention_rows(world, pictured, seed)
    for name, rows in (("mentions", mentions), ("entities", entities)):
        lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        write_text(folder / f"{name}.jsonl", "".join(lines))
    write_pictures(folder, [*mention_drawings, *entity_drawings], seed)
    counts = {"mentions": len(mentions), "entities": len(entities)}
    for split in SPLITS:
        counts[split] = sum(row["split"] == split for row in mentions)
    for needs in ("text", "picture", "description"):
        counts[needs] = sum(row["needs"] == needs for row in mentions)
    return counts | {
        "names": len({entity.shared for entity in world.entities} - {None}),
        "kinds": len({entity.kind for entity in world.entities}),
        "nil": sum(row["gold_qid"] is None for row in mentions),
        "outside": sum(row["needs"] is None and row["gold_qid"] is not None for row in mentions),
        "mentions_with_picture": len(mention_drawings),
        "entities_with_picture": sum(bool(row["pictures"]) for row in entities),
    }


def write_pictures(folder: Path, drawings: list[Drawing], seed: int) -> None:
    """Draws all pictures, no two alike, and removes those of an earlier world."""
    seen: list[int] = []
    for drawing in drawings:
        save_picture(_unlike(drawing, seen, seed), folder / drawing.file)
    wanted = {folder / drawing.file for drawing in drawings}
    for pictures in (MENTION_PICTURES, ENTITY_PICTURES):
        for stale in set((folder / pictures).glob("*.png")) - wanted:
            stale.unlink()


def _unlike(drawing: Drawing, seen: list[int], seed: int) -> Image.Image:
    """The first of its variations that looks like none before it; the last one if all do."""
    for number in range(TRIES):
        picture = _drawn(drawing.shows, rng_for(seed, drawing.file, str(number)))
        look = int(str(imagehash.phash(picture)), 16)
        if all((look ^ other).bit_count() > ALIKE for other in seen):
            break
    seen.append(look)
    return picture


def _drawn(shows: Scene | str, rng: random.Random) -> Image.Image:
    return draw(shows, rng) if isinstance(shows, Scene) else draw_backdrop(shows, rng)
