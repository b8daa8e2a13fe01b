"""How often a choice is right: of all mentions, and of those where it could be."""

from __future__ import annotations

import pytest

from mmoe.descriptions.counts import accuracies
from mmoe.records import Description

from tests.description_ablation.rows import choice

NAMES = ["a", "b", "c", "d"]


def all_of(backend: str, *texts: str | None) -> list[Description]:
    """A backend's choices; the description `right` is that of the gold entity."""
    return [
        choice(name, backend, text, is_gold=None if text is None else text == "right")
        for name, text in zip(NAMES, texts, strict=True)
    ]


CHOICES = [
    *all_of("lexical", "right", "wrong", None, "right"),
    *all_of("none", None, None, None, None),
    *all_of("oracle_candidate", "right", "right", "right", None),
]


def test_right_choices_are_counted_of_all_and_of_what_was_possible() -> None:
    found = accuracies(CHOICES, {"a", "b", "c"})
    assert list(found) == ["lexical", "none", "oracle_candidate"]  # in the order of the choices
    lexical = found["lexical"]
    assert (lexical["chosen"], lexical["described"], lexical["right"]) == (3, 3, 2)
    assert lexical["share_right"] == 0.5
    assert lexical["share_right_where_possible"] == pytest.approx(1 / 3)
    assert lexical["share_right_low"] < 0.5 < lexical["share_right_high"]
    assert found["oracle_candidate"]["share_right_where_possible"] == 1.0
    assert accuracies(CHOICES, set())["lexical"]["share_right_where_possible"] is None


def test_what_chooses_nothing_is_neither_right_nor_wrong() -> None:
    none = accuracies(CHOICES, set(NAMES))["none"]
    assert none["chosen"] == none["right"] == 0
    assert none["share_right"] is None
    assert none["share_right_where_possible_low"] is None
    # A model that always says "none of these" did choose, and was never right.
    never = [choice(name, "openai", None) for name in NAMES]
    assert accuracies(never, set(NAMES))["openai"]["share_right"] == 0


def test_where_there_is_but_one_candidate_nothing_was_ranked() -> None:
    choices = [
        choice("a", "first", "right", is_gold=True, num=1),
        choice("b", "first", "right", is_gold=True, num=2),
        choice("c", "first", "wrong", is_gold=False, num=2),
        choice("d", "first", "wrong", is_gold=False, num=5),
    ]
    first = accuracies(choices, {"a", "b", "c"})["first"]
    assert first["share_right_where_possible"] == pytest.approx(2 / 3)
    assert first["share_right_of_several"] == 0.5
