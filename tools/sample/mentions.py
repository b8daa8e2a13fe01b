"""Which mentions the sample has: three families by what decides them, and some that mean nothing known."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from tools.sample.drawing import BACKGROUNDS, Scene
from tools.sample.world import World, WorldEntity

SPLITS = ("train", "valid", "test")
ENDS = (0.6, 0.75, 1.0)  # where each split ends, as a share of a family
TEXT_IMAGE, DESCRIPTION_IMAGE = 0.85, 0.8  # share of a family's mentions that have an image
OWN_BACKGROUND = 0.5  # share of the images with the background that goes with the entity
SHORT_MENTIONS = 2  # of an entity that has an alias unlike its name
DISTRACTOR_MENTIONS = 12

# They say nothing of what is shown: only the image tells. Words that descriptions are full of, such as
# `of`, are avoided: a ranker that goes by words would choose by them.
SHOWN = (
    *("Here is {word}.", "This is {word}.", "Look, {word}!", "We finally saw {word}."),
    *("{word}, as promised.", "Another image: {word}.", "I kept this one: {word}."),
    *("Guess what: {word}.", "{word} again.", "It must be {word}.", "Next one: {word}."),
    *("My favourite is {word}.", "Nobody expected {word}.", "She drew {word} herself."),
    *("Labelled {word}, no more.", "{word}, seen today.", "He sent {word} this morning."),
    *("So this is {word}.", "Page nine shows {word}.", "You asked for {word}."),
)
MENTIONED = (
    *("{word} came up twice.", "They spoke of {word} at length.", "A note on {word} follows."),
    *("Ask her about {word}.", "What do you make of {word}?", "The last slide was on {word}."),
    *("{word}, he said, and left.", "I had to look up {word}.", "More on {word} tomorrow."),
    *("The quiz began with {word}.", "Somebody underlined {word}.", "{word} was the answer."),
)


@dataclass(frozen=True)
class Planned:
    """A mention before it has an id.

    Attributes:
        evidence: text, image or description; None for a mention without an entity here.
        look: what its image shows; null without an image.
        backdrop: the background of an image that shows nothing else.
    """

    evidence: str | None
    surface_form: str
    context: str
    gold_qid: str | None
    look: Scene | None = None
    backdrop: str | None = None
    split: str = ""


def plan_mentions(world: World, imaged: Collection[str], rng: random.Random) -> list[Planned]:
    """All mentions with their splits, in the order of the splits, shuffled within each.

    Args:
        imaged: qids of the entities that have an image.

    Every family is split alike, so that each split has all of them.
    """
    families = (
        list(_by_text(world, rng)),
        list(_by_image(world, imaged, rng)),
        list(_by_description(world, rng)),
        list(_unknown(world, rng)),
    )
    planned = [mention for family in families for mention in _assigned(family, rng)]
    repeated = [text for text, n in Counter(m.context for m in planned).items() if n > 1]
    assert not repeated, f"contexts that stand twice: {repeated}"
    rng.shuffle(planned)
    return sorted(planned, key=lambda mention: SPLITS.index(mention.split))


def look_of(entity: WorldEntity, rng: random.Random) -> Scene:
    """What an image of the entity shows; its background may be any."""
    own = rng.random() < OWN_BACKGROUND
    background = entity.background if own else rng.choice(BACKGROUNDS)
    return Scene(entity.kind, entity.colour, background)


def _by_text(world: World, rng: random.Random) -> Iterator[Planned]:
    for entity in world.entities:
        for word, text in entity.text:
            look = look_of(entity, rng) if rng.random() < TEXT_IMAGE else None
            yield Planned("text", word, text, entity.qid, look)


def _by_image(world: World, imaged: Collection[str], rng: random.Random) -> Iterator[Planned]:
    """One of each entity that has an image and looks that no namesake shares."""
    looks = Counter((e.shared, e.kind, e.colour) for e in world.entities)
    templates = _Unused(SHOWN, rng)
    for entity in world.entities:
        is_alone = looks[entity.shared, entity.kind, entity.colour] == 1
        if entity.shared and is_alone and entity.qid in imaged:
            text = templates.next(entity.shared)
            yield Planned("image", entity.shared, text, entity.qid, look_of(entity, rng))


def _by_description(world: World, rng: random.Random) -> Iterator[Planned]:
    """Aliases unlike the name, in sentences that say nothing, with images that show nothing."""
    templates = _Unused(MENTIONED, rng)
    for entity in world.entities:
        for number in range(SHORT_MENTIONS if entity.short else 0):
            if number < len(entity.short):
                word, text = entity.short[number]
            else:
                word = entity.short[0][0]
                text = templates.next(word)
            backdrop = rng.choice(BACKGROUNDS) if rng.random() < DESCRIPTION_IMAGE else None
            yield Planned("description", word, text, entity.qid, backdrop=backdrop)


def _unknown(world: World, rng: random.Random) -> Iterator[Planned]:
    """Strangers, which are nil, and items that only the Wikidata slice holds."""
    for word, text in world.strangers:
        yield Planned(None, word, text, None)
    templates = _Unused(MENTIONED, rng)
    used = {word for entity in world.entities for word, _ in entity.short}
    free = [item for item in world.distractors if item.name not in used]
    for item in rng.sample(free, min(DISTRACTOR_MENTIONS, len(free))):
        yield Planned(None, item.name, templates.next(item.name), item.qid)


class _Unused:
    """Deals out templates so that no word meets one twice."""

    def __init__(self, templates: Sequence[str], rng: random.Random) -> None:
        self._templates, self._rng = templates, rng
        self._left: dict[str, list[str]] = {}

    def next(self, word: str) -> str:
        if word not in self._left:
            self._left[word] = self._rng.sample(self._templates, len(self._templates))
        return self._left[word].pop().format(word=word)


def _assigned(family: list[Planned], rng: random.Random) -> Iterator[Planned]:
    order = list(range(len(family)))
    rng.shuffle(order)
    for place, number in enumerate(order):
        share = (place + 0.5) / len(order)
        split = next(name for name, end in zip(SPLITS, ENDS, strict=True) if share < end)
        yield replace(family[number], split=split)
