"""A scene in four words (kind, colour, background, count), and how it becomes an image."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image, ImageDraw

from tools.sample.drawing import animals, people, places, still_life, things, vehicles, worlds
from tools.sample.drawing.backgrounds import BACKGROUNDS, Surroundings, paint
from tools.sample.drawing.palette import COLOURS, RGB, Ink, ink_of
from tools.sample.drawing.pen import BOARD, OVERSAMPLING, Pen, Place
from tools.sample.drawing.words import KIND_NOUNS

_Spots = tuple[tuple[float, float], ...]

# What may stand more than once: how it is drawn, and the most it is turned to either side.
_LOOSE: dict[str, tuple[Callable[[Pen], None], float]] = {
    "planet": (worlds.planet, 28),
    "cat": (animals.cat, 5),
    "bird": (animals.bird, 9),
    "snake": (animals.snake, 22),
    "fish": (animals.fish, 14),
    "car": (vehicles.car, 7),
    "ship": (vehicles.ship, 5),
    "plane": (vehicles.plane, 60),
    "rocket": (vehicles.rocket, 26),
    "guitar": (things.guitar, 48),
    "clapper": (things.clapper, 12),
    "ball": (things.ball, 0),
    "book": (things.book, 14),
    "fruit": (still_life.fruit, 10),
    "cup": (still_life.cup, 6),
    "flask": (still_life.flask, 9),
    "screen": (things.screen, 5),
}
# What stands alone on the ground of its background: how it is drawn, its half side as a share.
_GROUNDED: dict[str, tuple[Callable[[Pen, RGB], None], float]] = {
    "city": (places.city, 0.48),
    "river": (places.river, 0.48),
    "mountain": (places.mountain, 0.48),
    "building": (places.building, 0.43),
    "temple": (places.temple, 0.42),
}
# What stands alone: how it is drawn, its half side as a share of the image, its turn.
_ALONE: dict[str, tuple[Callable[[Pen], None], float, float]] = {
    "map": (worlds.country_map, 0.46, 14),
    "portrait": (people.portrait, 0.5, 0),
}
KINDS = tuple(KIND_NOUNS)

_TWO: tuple[_Spots, ...] = (
    ((0.25, 0.5), (0.75, 0.5)),
    ((0.5, 0.26), (0.5, 0.74)),
    ((0.27, 0.28), (0.73, 0.72)),
    ((0.73, 0.28), (0.27, 0.72)),
)
_THREE: tuple[_Spots, ...] = (
    ((0.25, 0.28), (0.75, 0.28), (0.5, 0.74)),
    ((0.5, 0.26), (0.25, 0.73), (0.75, 0.73)),
    ((0.25, 0.26), (0.25, 0.74), (0.74, 0.5)),
    ((0.26, 0.5), (0.75, 0.26), (0.75, 0.74)),
)


@dataclass(frozen=True)
class Scene:
    """What an image shows.

    Args:
        kind: one of KINDS.
        colour: one of COLOURS.
        background: one of BACKGROUNDS.
        count: how many stand there, 1 to 3; a place, a map and a portrait stand alone.
    Raises:
        ValueError: for an unknown word or a count that makes no sense.
    """

    kind: str
    colour: str
    background: str
    count: int = 1

    def __post_init__(self) -> None:
        for name, value, known in (
            ("kind", self.kind, KINDS),
            ("colour", self.colour, COLOURS),
            ("background", self.background, BACKGROUNDS),
        ):
            if value not in known:
                raise ValueError(f"{name} {value!r} is not drawn; take one of {', '.join(known)}")
        most = 3 if self.kind in _LOOSE else 1
        if not 1 <= self.count <= most:
            raise ValueError(f"count {self.count} of {self.kind}: must be from 1 to {most}")


def draw(scene: Scene, rng: random.Random) -> Image.Image:
    """An image of the scene, RGB, SIZE pixels a side.

    Args:
        scene: what to show.
        rng: all variation comes from it; equal states give equal images, and how much is taken
            from it does not depend on the colour.
    """
    image = Image.new("RGB", (BOARD, BOARD))
    board = ImageDraw.Draw(image)
    around = paint(board, scene.background, rng)
    ink = ink_of(scene.colour, around.line, rng)
    if scene.kind in _LOOSE:
        _draw_loose(board, scene, ink, rng)
    else:
        _draw_alone(board, scene, ink, around, rng)
    return image.reduce(OVERSAMPLING)


def draw_backdrop(background: str, rng: random.Random) -> Image.Image:
    """An image that shows nothing but one of BACKGROUNDS, RGB, SIZE pixels a side.

    Raises:
        ValueError: for an unknown background.
    """
    if background not in BACKGROUNDS:
        raise ValueError(f"background {background!r} is not drawn; take one of {BACKGROUNDS}")
    image = Image.new("RGB", (BOARD, BOARD))
    paint(ImageDraw.Draw(image), background, rng)
    return image.reduce(OVERSAMPLING)


def _draw_loose(board: ImageDraw.ImageDraw, scene: Scene, ink: Ink, rng: random.Random) -> None:
    artist, turn = _LOOSE[scene.kind]
    if scene.count == 1:
        spots: _Spots = ((0.5, 0.5),)
        half, loose = rng.uniform(0.35, 0.43), 0.04
    else:
        spots = rng.choice(_TWO if scene.count == 2 else _THREE)
        half, loose = rng.uniform(0.205, 0.228), 0.012
    mirrored = rng.random() < 0.5
    for x, y in spots:
        place = Place(
            BOARD * (x + rng.uniform(-loose, loose)),
            BOARD * (y + rng.uniform(-loose, loose)),
            BOARD * half * rng.uniform(0.93, 1.0),
            rng.uniform(-turn, turn),
            mirrored,
        )
        artist(Pen(board, place, ink, rng))


def _draw_alone(
    board: ImageDraw.ImageDraw,
    scene: Scene,
    ink: Ink,
    around: Surroundings,
    rng: random.Random,
) -> None:
    x, size, mirrored = rng.uniform(-0.03, 0.03), rng.uniform(0.93, 1.0), rng.random() < 0.5
    middle = BOARD * (0.5 + x)
    if scene.kind in _GROUNDED:
        # The foot stays where it is, so that a smaller thing does not float.
        builder, share = _GROUNDED[scene.kind]
        half = BOARD * share * size
        place = Place(middle, BOARD * 0.98 - half, half, 0, mirrored)
        builder(Pen(board, place, ink, rng), around.land)
        return
    artist, share, turn = _ALONE[scene.kind]
    half = BOARD * share * size
    high = BOARD - half if scene.kind == "portrait" else BOARD * (0.5 + rng.uniform(-0.03, 0.03))
    artist(Pen(board, Place(middle, high, half, rng.uniform(-turn, turn), mirrored), ink, rng))
