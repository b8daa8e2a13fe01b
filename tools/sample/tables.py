"""The sample's two tables and its images, from the world, its knowledge base and a seed."""

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
from tools.sample.drawing import Scene, draw, draw_backdrop, save_image
from tools.sample.mentions import SPLITS, look_of, plan_mentions
from tools.sample.world import World, WorldEntity

MENTION_IMAGES, ENTITY_IMAGES = "mention_images", "entity_images"
NO_ENTITY_IMAGE, TWO_ENTITY_IMAGES = 0.25, 0.1
ALIKE = 4  # bits of 64 within which two images look alike, as data.image_distance
TRIES = 40


@dataclass(frozen=True)
class Drawing:
    """An image to draw: its file below the folder, and what it shows, or a background alone."""

    file: str
    shows: Scene | str


def rng_for(seed: int, *names: str) -> random.Random:
    """A stream of its own for each purpose, so that a new entity does not change the old images."""
    return random.Random(f"{seed}:{':'.join(names)}")  # noqa: S311 - images are no secret


def mention_rows(
    world: World, imaged: Collection[str], seed: int
) -> tuple[list[dict[str, Any]], list[Drawing]]:
    """Rows of mentions.jsonl, and the images they name.

    Args:
        imaged: qids of the entities that have an image.
    """
    rows, drawings = [], []
    planned = plan_mentions(world, imaged, rng_for(seed, "mentions"))
    for number, mention in enumerate(planned, start=1):
        shows = mention.look or mention.backdrop
        image = None if shows is None else f"{MENTION_IMAGES}/m{number:04}.png"
        if image is not None and shows is not None:
            drawings.append(Drawing(image, shows))
        rows.append(
            {
                "mention_id": f"m{number:04}",
                "surface_form": mention.surface_form,
                "context": mention.context,
                "image": image,
                "gold_qid": mention.gold_qid,
                "split": mention.split,
                "evidence": mention.evidence,
            }
        )
    return rows, drawings


def entity_rows(
    world: World, known: Sequence[dict[str, Any]], seed: int
) -> tuple[list[dict[str, Any]], list[Drawing]]:
    """Rows of entities.jsonl and the images they name: none, one or two, never a mention's.

    Args:
        known: the rows without images, one for each entity of the world, in its order.
    """
    rows, drawings = [], []
    lots = _even_lots(world.entities, rng_for(seed, "entities"))
    for entity, row, lot in zip(world.entities, known, lots, strict=True):
        assert row["qid"] == entity.qid, f"{row['qid']} stands where {entity.qid} should"
        number = 0 if lot < NO_ENTITY_IMAGE else 2 if lot > 1 - TWO_ENTITY_IMAGES else 1
        files = [f"{ENTITY_IMAGES}/{entity.qid}-{i}.png" for i in range(1, number + 1)]
        drawings += [Drawing(file, look_of(entity, rng_for(seed, file))) for file in files]
        rows.append(row | {"images": files})
    return rows, drawings


def _even_lots(entities: Iterable[WorldEntity], rng: random.Random) -> list[float]:
    """A lot from 0 to 1 for each entity, evenly spread, so that shares come out as they are meant."""
    number = len(list(entities))
    return rng.sample([(i + 0.5) / number for i in range(number)], number)


def write_tables(
    folder: Path, world: World, known: Sequence[dict[str, Any]], seed: int
) -> dict[str, int]:
    """Writes both tables and all images; returns what the data card counts.

    Args:
        known: as for `entity_rows`.
    """
    entities, entity_drawings = entity_rows(world, known, seed)
    imaged = {str(row["qid"]) for row in entities if row["images"]}
    mentions, mention_drawings = mention_rows(world, imaged, seed)
    for name, rows in (("mentions", mentions), ("entities", entities)):
        lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        write_text(folder / f"{name}.jsonl", "".join(lines))
    write_images(folder, [*mention_drawings, *entity_drawings], seed)
    counts = {"mentions": len(mentions), "entities": len(entities)}
    for split in SPLITS:
        counts[split] = sum(row["split"] == split for row in mentions)
    for evidence in ("text", "image", "description"):
        counts[evidence] = sum(row["evidence"] == evidence for row in mentions)
    return counts | {
        "names": len({entity.shared for entity in world.entities} - {None}),
        "kinds": len({entity.kind for entity in world.entities}),
        "nil": sum(row["gold_qid"] is None for row in mentions),
        "outside": sum(row["evidence"] is None and row["gold_qid"] is not None for row in mentions),
        "mentions_with_image": len(mention_drawings),
        "entities_with_image": sum(bool(row["images"]) for row in entities),
    }


def write_images(folder: Path, drawings: list[Drawing], seed: int) -> None:
    """Draws all images, no two alike, and removes those of an earlier world."""
    seen: list[int] = []
    for drawing in drawings:
        save_image(_unlike(drawing, seen, seed), folder / drawing.file)
    wanted = {folder / drawing.file for drawing in drawings}
    for images in (MENTION_IMAGES, ENTITY_IMAGES):
        for stale in set((folder / images).glob("*.png")) - wanted:
            stale.unlink()


def _unlike(drawing: Drawing, seen: list[int], seed: int) -> Image.Image:
    """The first of its variations that looks like none before it; the last one if all do."""
    for number in range(TRIES):
        image = _drawn(drawing.shows, rng_for(seed, drawing.file, str(number)))
        look = int(str(imagehash.phash(image)), 16)
        if all((look ^ other).bit_count() > ALIKE for other in seen):
            break
    seen.append(look)
    return image


def _drawn(shows: Scene | str, rng: random.Random) -> Image.Image:
    return draw(shows, rng) if isinstance(shows, Scene) else draw_backdrop(shows, rng)
