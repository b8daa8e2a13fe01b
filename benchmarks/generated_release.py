"""A data set as the MIMIC release has them, generated, of any size: texts of invented words, drawn images.

Names are shared by about three entities. Each entity is a scene (kind, colour, background, count) with a few
words of its own; its mentions show the same scene drawn anew, and say the name, something true of the scene,
at times a word of the entity's own, among words that say nothing.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from mmoe.files import write_json
from tools.sample.captions import caption, invented_name
from tools.sample.drawing import Scene, draw
from tools.sample.train_data import random_scene

SPLITS, SHARES = ("train", "dev", "test"), (0.7, 0.1, 0.2)
VOCABULARY, OWN_WORDS, OTHER_WORDS = 20_000, 4, 12
IMAGE_SHARE = 0.9  # of entities and mentions; the others have none


@dataclass(frozen=True)
class Thing:
    """What an entity is."""

    qid: str
    name: str
    scene: Scene
    own_words: tuple[str, ...]


def generate_release(folder: Path, num_entities: int, num_mentions: int) -> None:
    """Writes texts and images into a folder of data/raw."""
    rng = _rng("texts", 0)
    words = [invented_name(rng).lower() for _ in range(VOCABULARY)]
    names = [invented_name(rng) for _ in range(max(1, num_entities // 3))]
    things = [
        Thing(
            f"Q{number}",
            rng.choice(names),
            random_scene(rng),
            tuple(rng.choices(words, k=OWN_WORDS)),
        )
        for number in range(1, num_entities + 1)
    ]
    meant = rng.choices(things, k=num_mentions)
    has_image = [rng.random() < IMAGE_SHARE for _ in [*things, *meant]]
    shown = [
        (where, number, thing.scene)
        for where, which, has in (
            ("kb_image", things, has_image[: len(things)]),
            ("mention_image", meant, has_image[len(things) :]),
        )
        for number, (thing, is_shown) in enumerate(zip(which, has, strict=True))
        if is_shown
    ]
    for where in ("kb_image", "mention_image"):
        (folder / where).mkdir(parents=True)
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(partial(_draw, folder), shown, chunksize=256))
    drawn = {(where, number) for where, number, _ in shown}
    entities = [
        {
            "id": number,
            "qid": thing.qid,
            "entity_name": thing.name,
            "attr": f"{caption(thing.scene, rng).text} {' '.join(thing.own_words)}",
            "image_list": [f"{number}.png"] if ("kb_image", number) in drawn else [],
            "type": "",
        }
        for number, thing in enumerate(things)
    ]
    write_json(folder / "kb_entity.json", entities)
    write_json(folder / "qid2id.json", {each["qid"]: each["id"] for each in entities})
    splits = rng.choices(SPLITS, SHARES, k=num_mentions)
    for split in SPLITS:
        own = [
            {
                "id": f"m{number}",
                "sentence": " ".join(_sentence(thing, words, rng)),
                "mentions": thing.name.split()[-1],
                "answer": thing.qid,
                "imgPath": f"{number}.png" if ("mention_image", number) in drawn else "",
            }
            for number, (thing, its) in enumerate(zip(meant, splits, strict=True))
            if its == split
        ]
        write_json(folder / f"{folder.name}_{split}.json", own)


def _sentence(thing: Thing, words: list[str], rng: random.Random) -> Iterator[str]:
    others = rng.choices(words, k=OTHER_WORDS)
    yield from others[: OTHER_WORDS // 2]
    yield from (thing.name, caption(thing.scene, rng).text)
    yield from rng.sample(thing.own_words, rng.randint(0, 2))
    yield from others[OTHER_WORDS // 2 :]


def _draw(folder: Path, shown: tuple[str, int, Scene]) -> None:
    where, number, scene = shown
    draw(scene, _rng(where, number)).save(folder / where / f"{number}.png")


def _rng(what: str, number: int) -> random.Random:
    return random.Random(f"rehearsal:{what}:{number}")  # noqa: S311 - not for secrets
