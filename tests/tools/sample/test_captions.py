"""Captions are true of their drawing, say what their facts say, and come in many wordings."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.sample.captions import (
    FILLERS,
    NUMBERS,
    Facts,
    caption,
    counted,
    full_caption,
    invented_name,
    named,
    true_of,
    with_article,
    without_some_words,
)
from tools.sample.drawing import BACKGROUND_PHRASES, BACKGROUNDS, COLOURS, KIND_NOUNS, KINDS, Scene
from tools.sample.kind_words import ALSO_TRUE, NOUNS, TOPICS, kinds_named, kinds_with_topics
from tools.sample.train_data import SINGLE_KINDS, random_scene

seeds = st.integers(0, 10**9).map(random.Random)


@given(seeds)
def test_a_caption_is_true_of_its_own_drawing(rng: random.Random) -> None:
    scene = random_scene(rng)
    assert true_of(caption(scene, rng).facts, scene)
    assert true_of(full_caption(scene).facts, scene)


@given(seeds)
def test_a_caption_says_what_its_facts_say(rng: random.Random) -> None:
    scene = random_scene(rng)
    said = caption(scene, rng)
    phrases = [phrase for phrase in BACKGROUND_PHRASES[scene.background] if phrase in said.text]
    assert (said.facts.background is not None) == bool(phrases)
    bare = said.text.replace(phrases[0], "") if phrases else said.text  # "in a green field"
    words = bare.replace(".", "").replace(",", "").split()
    assert (said.facts.colour is not None) == (scene.colour in words)
    if said.facts.count is not None and scene.count > 1:
        assert any(f"{number} " in said.text for number in NUMBERS[scene.count])


@given(seeds)
def test_what_differs_in_one_trait_is_false(rng: random.Random) -> None:
    scene = Scene("planet", rng.choice(COLOURS), rng.choice(BACKGROUNDS), rng.randint(1, 3))
    facts = full_caption(scene).facts
    others = [
        *(Scene("ball", scene.colour, scene.background, scene.count),),
        *(Scene("planet", c, scene.background, scene.count) for c in COLOURS if c != scene.colour),
        *(
            Scene("planet", scene.colour, b, scene.count)
            for b in set(BACKGROUNDS) - {scene.background}
        ),
        *(Scene("planet", scene.colour, scene.background, n) for n in {1, 2, 3} - {scene.count}),
    ]
    assert not any(true_of(facts, other) for other in others)


def test_silence_is_true_of_everything() -> None:
    assert true_of(Facts(), Scene("map", "red", "sea"))
    assert true_of(Facts(colour="red"), Scene("map", "red", "sea"))
    assert not true_of(Facts(colour="blue"), Scene("map", "red", "sea"))


def test_a_wide_noun_is_true_of_several_kinds() -> None:
    assert kinds_named("animal") == {"cat", "bird", "snake", "fish"}
    assert kinds_named("god") == {"temple"}
    assert kinds_with_topics(("wings",)) == {"bird", "plane"}
    assert kinds_with_topics(("wings", "nest")) == {"bird"}


def test_every_kind_has_its_words() -> None:
    assert NOUNS.keys() == TOPICS.keys() == KIND_NOUNS.keys() == set(KINDS)
    assert all(len(topics) >= 7 for topics in TOPICS.values())
    assert ALSO_TRUE.keys() <= {noun for nouns in NOUNS.values() for noun in nouns}
    assert set().union(*ALSO_TRUE.values()) <= set(KINDS)


def test_no_noun_is_drawn_in_two_ways() -> None:
    nouns = [noun for listed in NOUNS.values() for noun in listed]
    assert len(nouns) == len(set(nouns))


@pytest.mark.parametrize("kind", KINDS)
def test_only_loose_things_are_counted(kind: str) -> None:
    if kind in SINGLE_KINDS:
        with pytest.raises(ValueError, match="must be from 1 to 1"):
            Scene(kind, "red", "sea", 2)
    else:
        assert Scene(kind, "red", "sea", 3).count == 3


def test_wordings_vary() -> None:
    scene = Scene("planet", "green", "night", 2)
    rng = random.Random(1)  # noqa: S311
    texts = {caption(scene, rng).text for _ in range(500)}
    assert len(texts) > 150
    assert any("two green planets at night" in text for text in texts)
    assert any(text.startswith("Type: ") for text in texts)


@pytest.mark.parametrize(
    ("count", "colour", "kind", "expected"),
    [
        (1, "orange", "planet", "an orange planet"),
        (1, None, "cup", "a cup of coffee"),
        (2, "green", "planet", "two green planets"),
        (3, None, "fish", "three fish"),
    ],
)
def test_things_are_counted_in_words(
    count: int, colour: str | None, kind: str, expected: str
) -> None:
    assert counted(count, colour, kind) == expected


@pytest.mark.parametrize("words", ["university", "European city", "one-way street"])
def test_the_article_goes_by_the_sound(words: str) -> None:
    assert with_article(words) == f"a {words}"


@given(seeds)
def test_dropped_words_state_nothing(rng: random.Random) -> None:
    text = caption(random_scene(rng), rng).text
    kept = without_some_words(text, rng, share=1.0).split()
    assert kept == ([word for word in text.split() if word not in FILLERS] or text.split())
    assert without_some_words(text, rng, share=0.0).split() == text.split()


@given(seeds)
def test_a_name_stands_beside_the_text(rng: random.Random) -> None:
    name = invented_name(rng)
    text = named("Type: god.", name, rng)
    assert name in text
    assert "Type: god." in text
