"""Writes the museum: objects that share titles, sentences that mention them, and drawings of both."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

from mmoe.files import read_text, write_text
from tools.museum.sentences import SILENT, SILENT_TEST, TELLING, TELLING_TEST
from tools.sample.drawing import BACKGROUNDS, Scene, draw, save_image
from tools.sample.tables import rng_for

SEED = 5
OBJECTS = Path(__file__).with_name("objects.tsv")
PHOTOS = "photos"
OWN_BACKGROUND = 0.5  # share of the mentions' photos with the background of the object's own
NEW = 2  # the last objects of the list, which come to the museum later
# The mentions of two objects: part of the data, whether the sentence tells, whether there is a photo.
_BOTH = (
    *(("train", True, False), ("train", True, True), ("train", False, True)),
    *(("test", True, False), ("test", False, True)),
)
PLANS = ((*_BOTH, ("dev", True, False)), (*_BOTH, ("dev", False, True)))


@dataclass(frozen=True)
class Object:
    """A museum object.

    Attributes:
        traits: by the names of the columns of objects.tsv.
    """

    inventory: str
    traits: dict[str, str]

    @property
    def about(self) -> str:
        """What the catalogue says of it."""
        shown = ("colour", "material", "maker", "place", "year", "detail")
        return " ".join(f"{name.capitalize()}: {self.traits[name]}." for name in shown)

    def scene(self, background: str | None = None) -> Scene:
        """What a photo of it shows."""
        traits = self.traits
        return Scene(traits["kind"], traits["colour"], background or traits["background"])


@dataclass(frozen=True)
class Labelled:
    """A mention of which it is known what it means."""

    sentence: str
    object: Object
    part: str
    has_photo: bool


def read_objects() -> list[Object]:
    """All objects, in the order of their inventory numbers."""
    rows = csv.DictReader(io.StringIO(read_text(OBJECTS)), delimiter="\t")
    return [Object(f"A{number:02}", row) for number, row in enumerate(rows, start=1)]


def build_museum(folder: Path) -> dict[str, int]:
    """Writes all files; running it again gives the same bytes.

    Returns:
        How many there are of what.
    """
    objects = read_objects()
    known, new = objects[:-NEW], objects[-NEW:]
    mentions = list(label(known, rng_for(SEED, "sentences")))
    names = {item.inventory: f"{PHOTOS}/{item.inventory}.png" for item in objects}
    for item in objects:
        _photograph(folder / names[item.inventory], item.scene())
    rows = []
    for number, mention in enumerate(mentions, start=1):
        photo = f"{PHOTOS}/m{number:03}.png" if mention.has_photo else ""
        if photo:
            rng = rng_for(SEED, photo, "background")
            background = None if rng.random() < OWN_BACKGROUND else rng.choice(BACKGROUNDS)
            _photograph(folder / photo, mention.object.scene(background))
        item = mention.object
        rows.append((item.traits["title"], mention.sentence, photo, item.inventory, mention.part))
    for file, some in (("objects.csv", known), ("new.csv", new)):
        listed = [(o.inventory, o.traits["title"], o.about, names[o.inventory]) for o in some]
        _write(folder / file, [("inventory", "title", "about", "photo"), *listed])
    _write(folder / "labelled.csv", [("word", "sentence", "photo", "object", "part"), *rows])
    return {"objects": len(known), "mentions": len(mentions), "new objects": len(new)}


def label(objects: Sequence[Object], rng: random.Random) -> Iterator[Labelled]:
    """The mentions of all objects; no title meets a sentence twice."""
    left: dict[tuple[str, bool, bool], list[str]] = {}
    for item, plan in zip(objects, cycle(PLANS)):
        title = item.traits["title"]
        for part, tells, has_photo in plan:
            is_test = part == "test"
            key = title, tells, is_test
            if key not in left:
                templates = _TEMPLATES[tells, is_test]
                left[key] = rng.sample(templates, len(templates))
            sentence = left[key].pop().format_map(item.traits)
            yield Labelled(sentence[0].upper() + sentence[1:], item, part, has_photo)


_TEMPLATES = {
    (True, False): TELLING,
    (True, True): TELLING_TEST,
    (False, False): SILENT,
    (False, True): SILENT_TEST,
}


def _photograph(file: Path, scene: Scene) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    save_image(draw(scene, rng_for(SEED, file.name)), file)


def _write(file: Path, rows: Sequence[Sequence[str]]) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    write_text(file, text.getvalue())
