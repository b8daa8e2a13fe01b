"""What is said of a drawing, in many wordings, and of which other drawings it is true as well."""

from __future__ import annotations

import random
from dataclasses import dataclass

from tools.sample.drawing import BACKGROUND_PHRASES, COLOURS, KIND_NOUNS, Scene
from tools.sample.kind_words import NOUNS, TOPICS, kinds_named, kinds_with_topics

SEPARATOR = " [SEP] "  # as the pipeline joins a name and what is said of it
NUMBERS = {1: ("one", "a single", "just one"), 2: ("two", "2", "a pair of"), 3: ("three", "3")}
TEMPLATES = (
    *("{thing} {place}", "a drawing of {thing} {place}", "an image of {thing} {place}"),
    *("this is {thing} {place}", "{place}, {thing}", "here is {thing} {place}"),
    *("a sketch of {thing} {place}", "an image {place} of {thing}", "we see {thing} {place}"),
)
ATTRIBUTES = ("Type: {noun}.", "Type: {noun}", "Kind: {noun}.", "{noun}", "{noun}.", "{a_noun}.")
TOPICAL = (
    *("{first} and {second}", "{first}, {second}.", "the {first} and the {second} of it"),
    *("{noun}: {first}, {second}", "{first} of {a_noun}", "{a_noun} with {first} and {second}"),
    *("it has to do with {first} and {second}", "Type: {noun}. Topic: {first}, {second}."),
)
FILLERS = frozenset(
    ("drawing", "image", "sketch", "image", "this", "is", "here", "we", "see", "of")
)
NAMED = (
    *("{name}. {text}", "{name}{separator}{text}", "{name}{separator}{text}", "{name}, {text}"),
    *("{name}: {text}", "{text} called {name}", "{name} is {text}", "{text} {name}"),
)
SYLLABLES = tuple(c + v + e for c in "bdfgklmnprstvz" for v in "aeiou" for e in ("", "n", "r", "s"))


@dataclass(frozen=True)
class Facts:
    """What a caption states; None where it is silent.

    Attributes:
        kinds: any one of these.
    """

    kinds: frozenset[str] | None = None
    colour: str | None = None
    background: str | None = None
    count: int | None = None


@dataclass(frozen=True)
class Caption:
    """A text and what it states."""

    text: str
    facts: Facts


def true_of(facts: Facts, scene: Scene) -> bool:
    """Whether all that a caption states holds for a drawing."""
    return (
        (facts.kinds is None or scene.kind in facts.kinds)
        and facts.colour in (None, scene.colour)
        and facts.background in (None, scene.background)
        and facts.count in (None, scene.count)
    )


def caption(scene: Scene, rng: random.Random) -> Caption:
    """One true caption: a description, an attribute line as of a knowledge base, or topics."""
    style = rng.choices((_description, _attribute_line, _topical), weights=(55, 27, 18))[0]
    return style(scene, rng)


def full_caption(scene: Scene) -> Caption:
    """The plain sentence that states kind, count, colour and background."""
    place = BACKGROUND_PHRASES[scene.background][0]
    text = f"a drawing of {counted(scene.count, scene.colour, scene.kind)} {place}"
    kinds = frozenset({scene.kind})
    return Caption(text, Facts(kinds, scene.colour, scene.background, scene.count))


def counted(count: int, colour: str | None, kind: str) -> str:
    """`two green planets`; one of a kind takes the article."""
    singular, plural = KIND_NOUNS[kind]
    if count == 1:
        return with_article(_joined(colour, singular))
    return _joined(NUMBERS[count][0], colour, plural)


def with_article(words: str) -> str:
    """The words after `a` or `an`."""
    has_vowel = words[0].lower() in "aeiou" and not words.lower().startswith(("uni", "eu", "one"))
    return f"{'an' if has_vowel else 'a'} {words}"


def named(text: str, name: str, rng: random.Random) -> str:
    """The text with a name, in one of the ways in which names and texts are joined."""
    return rng.choice(NAMED).format(name=name, text=text, separator=SEPARATOR)


def invented_name(rng: random.Random) -> str:
    """A word or two that mean nothing."""
    words = ("".join(rng.choices(SYLLABLES, k=rng.randint(1, 3))) for _ in range(rng.randint(1, 2)))
    return " ".join(word.capitalize() for word in words)


def without_some_words(text: str, rng: random.Random, share: float = 0.15) -> str:
    """The text with some of the words dropped that state nothing."""
    kept = [word for word in text.split() if word not in FILLERS or rng.random() >= share]
    return " ".join(kept) or text


def _description(scene: Scene, rng: random.Random) -> Caption:
    colour = scene.colour if rng.random() < 0.65 else None
    background = scene.background if rng.random() < 0.65 else None
    thing, kinds = _thing(scene, colour, rng)
    place = rng.choice(BACKGROUND_PHRASES[background]) if background is not None else ""
    template = rng.choice(TEMPLATES)
    text = " ".join(template.format(thing=thing, place=place).split()).removeprefix(", ")
    return Caption(text, Facts(kinds, colour, background, scene.count))


def _thing(
    scene: Scene, colour: str | None, rng: random.Random
) -> tuple[str, frozenset[str] | None]:
    """Number, colour and noun, and the kinds of which the noun is true."""
    singular, plural = KIND_NOUNS[scene.kind]
    kinds: frozenset[str] | None = frozenset({scene.kind})
    lot = rng.random()
    if lot < 0.06:
        singular, plural, kinds = "thing", "things", None
    elif lot < 0.4 and scene.count == 1:
        singular = rng.choice(NOUNS[scene.kind])
        kinds = kinds_named(singular)
    if scene.count == 1 and rng.random() < 0.6:
        return with_article(_joined(colour, singular)), kinds
    number = rng.choice(NUMBERS[scene.count])
    return _joined(number, colour, singular if scene.count == 1 else plural), kinds


def _attribute_line(scene: Scene, rng: random.Random) -> Caption:
    noun = rng.choice(NOUNS[scene.kind])
    template = rng.choice(ATTRIBUTES)
    if scene.kind == "portrait" and rng.random() < 0.4:
        template = "Occupation: {noun}."
    colour = scene.colour if rng.random() < 0.15 else None
    line = template.format(noun=noun, a_noun=with_article(noun))
    text = line + (f" Colour: {colour}." if colour else "")
    return Caption(text, Facts(kinds_named(noun), colour))


def _topical(scene: Scene, rng: random.Random) -> Caption:
    noun = rng.choice(NOUNS[scene.kind])
    first, second = rng.sample(TOPICS[scene.kind], 2)
    template = rng.choice(TOPICAL)
    used: tuple[str, ...] = (first, second) if "{second}" in template else (first,)
    kinds = kinds_with_topics(used)
    if "noun}" in template:
        kinds = kinds & kinds_named(noun)
    text = template.format(noun=noun, a_noun=with_article(noun), first=first, second=second)
    return Caption(text, Facts(kinds))


def _joined(*words: str | None) -> str:
    return " ".join(word for word in words if word)


def vocabulary_texts() -> list[str]:
    """Texts with every word of captions that says something of an image."""
    lines = [f"Type: {noun}." for nouns in NOUNS.values() for noun in nouns]
    lines += [" ".join(topics) for topics in TOPICS.values()]
    lines += [phrase for phrases in BACKGROUND_PHRASES.values() for phrase in phrases]
    lines += [form for forms in KIND_NOUNS.values() for form in forms]
    return [*lines, *COLOURS, *(number for words in NUMBERS.values() for number in words)]
