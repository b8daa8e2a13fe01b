"""How often a choice is right, and what it gains."""

from __future__ import annotations

import numpy as np
import pytest

from mmoe.description_ablation.texts import ChoiceTexts
from mmoe.description_ablation.worth import accuracies, by_backend, gains
from mmoe.descriptions import ablation_texts
from mmoe.evaluation.ranks import Ranks
from mmoe.records import Description

from tests.description_ablation.rows import choice
from tests.descriptions.rows import mention

NAMES = ["a", "b", "c", "d"]
MENTIONS = [mention(name, gold_qid="Q1") for name in NAMES]


def all_of(backend: str, *texts: str | None) -> list[Description]:
    """A backend's choices; the description `right` is that of the gold entity."""
    return [
        choice(name, backend, text, is_gold=None if text is None else text == "right")
        for name, text in zip(NAMES, texts, strict=True)
    ]


CHOICES = by_backend(
    [
        *all_of("lexical", "right", "wrong", None, "right"),
        *all_of("none", None, None, None, None),
        *all_of("oracle_candidate", "right", "right", "right", None),
    ]
)


def test_the_backends_stand_in_the_order_in_which_they_come() -> None:
    assert list(CHOICES) == ["lexical", "none", "oracle_candidate"]


def test_right_choices_are_counted_of_all_and_of_what_was_possible() -> None:
    found = accuracies(CHOICES, {"a", "b", "c"})
    lexical = found["lexical"]
    assert (lexical["chosen"], lexical["described"], lexical["right"]) == (3, 3, 2)
    assert lexical["share_right"] == 0.5
    assert lexical["share_right_where_possible"] == pytest.approx(1 / 3)
    assert lexical["share_right_low"] < 0.5 < lexical["share_right_high"]
    assert found["oracle_candidate"]["share_right_where_possible"] == 1.0


def test_what_chooses_nothing_is_neither_right_nor_wrong() -> None:
    none = accuracies(CHOICES, set(NAMES))["none"]
    assert none["chosen"] == none["right"] == 0
    assert none["share_right"] is None
    assert none["share_right_where_possible_low"] is None


def test_where_there_is_but_one_candidate_nothing_was_ranked() -> None:
    choices = {
        "first": [
            choice("a", "first", "right", is_gold=True, num=1),
            choice("b", "first", "right", is_gold=True, num=2),
            choice("c", "first", "wrong", is_gold=False, num=2),
            choice("d", "first", "wrong", is_gold=False, num=5),
        ]
    }
    first = accuracies(choices, {"a", "b", "c"})["first"]
    assert first["share_right_where_possible"] == pytest.approx(2 / 3)
    assert first["share_right_of_several"] == 0.5


def test_a_model_that_always_says_none_is_never_right() -> None:
    never = {"openai": [choice(name, "openai", None) for name in NAMES]}
    assert accuracies(never, set(NAMES))["openai"]["share_right"] == 0


def test_without_a_gold_candidate_there_is_no_share_where_possible() -> None:
    lexical = accuracies(CHOICES, set())["lexical"]
    assert lexical["share_right"] == 0.5
    assert lexical["share_right_where_possible"] is None


def ranked(
    by_text: dict[str | None, int], choices: dict[str, list[Description]]
) -> tuple[ChoiceTexts, Ranks]:
    """Texts whose rank depends on the description alone."""
    texts = ChoiceTexts.of(
        ablation_texts(MENTIONS, [r for records in choices.values() for r in records]), MENTIONS
    )
    ranks = np.array([by_text[text.description] for text in texts.texts])
    return texts, Ranks(ranks, ranks)


def test_gains_are_over_none_and_gaps_are_parts_of_perfects() -> None:
    texts, ranks = ranked({None: 2, "right": 1, "wrong": 4}, CHOICES)
    table = gains(CHOICES, texts, {"system": ranks}, samples=200)["system"]
    assert {name: row["mrr"] for name, row in table.items()} == {
        "lexical": 68.75,
        "none": 50.0,
        "oracle_candidate": 87.5,
    }
    assert table["lexical"]["gain_mrr"] == 18.75
    assert table["none"]["gain_mrr"] == table["none"]["gap_closed"] == 0
    assert table["lexical"]["gap_closed"] == 0.5
    assert (
        table["oracle_candidate"]["gap_closed_low"]
        == table["oracle_candidate"]["gap_closed_high"]
        == 1
    )
    assert table["oracle_candidate"]["gap_closed"] == 1
    low, high = table["lexical"]["gain_mrr_low"], table["lexical"]["gain_mrr_high"]
    assert low is not None
    assert high is not None
    assert low < 18.75 < high


def test_where_perfect_gains_nothing_there_is_no_gap() -> None:
    texts, ranks = ranked({None: 1, "right": 1, "wrong": 2}, CHOICES)
    table = gains(CHOICES, texts, {"system": ranks}, samples=100)["system"]
    assert [row["gap_closed"] for row in table.values()] == [None, None, None]


@pytest.mark.parametrize(
    ("left_out", "missing"),
    [("none", {"gain_mrr", "gap_closed"}), ("oracle_candidate", {"gap_closed"})],
)
def test_what_was_not_compared_is_not_told(left_out: str, missing: set[str]) -> None:
    choices = {name: records for name, records in CHOICES.items() if name != left_out}
    texts, ranks = ranked({None: 2, "right": 1, "wrong": 4}, choices)
    for row in gains(choices, texts, {"system": ranks}, samples=100)["system"].values():
        assert "mrr" in row
        assert not missing & row.keys()


def test_nothing_compared_is_an_empty_table() -> None:
    texts, ranks = ranked({None: 2}, {})
    assert gains({}, texts, {"system": ranks}, samples=100) == {"system": {}}
    assert accuracies({}, set()) == {}
