"""The mentions' text input, and how often ranking was right: one backend, or several."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mmoe.descriptions import mention_texts, rank_mentions
from mmoe.descriptions.counts import accuracies, ranking_counts
from mmoe.errors import RankingError
from mmoe.files import read_json
from mmoe.records import (
    Candidate,
    Description,
    Entity,
    Mention,
    TextInput,
    read_metadata,
    read_records,
    write_records,
)

from pipeline.layout import Layout
from tests.descriptions.llm_client.fake.server import Fake
from tests.descriptions.rows import candidates, choice, mention
from tests.descriptions.stage import run


def test_a_text_has_word_context_and_description_in_the_mentions_order() -> None:
    mentions = [mention("b", "To sea.", surface_form="Ben"), mention("a", "Paint.")]
    records = [
        Description("a", "Q1", "painter", "first", None, 1, None),
        Description("b", None, None, "first", None, 0, None),
    ]
    assert mention_texts(mentions, records) == [
        TextInput("b", "Ben", "To sea.", None),
        TextInput("a", "Ada", "Paint.", "painter"),
    ]
    with pytest.raises(RankingError, match="'a' and 1 others have no description record"):
        mention_texts([mention("a"), mention("b")], [])


def test_right_choices_are_counted_among_what_was_possible() -> None:
    mentions = [
        mention("right", gold_qid="Q1"),
        mention("wrong", gold_qid="Q2"),
        mention("impossible", gold_qid="Q9"),
        mention("alone", gold_qid="Q1"),
        mention("empty", gold_qid="Q1"),
        replace(mention("nil"), split="train"),
    ]
    sizes = {"right": 2, "wrong": 6, "impossible": 3, "alone": 1, "empty": 0, "nil": 2}
    found = {name: candidates(name, *(["x"] * size)) for name, size in sizes.items()}
    records = rank_mentions("first", mentions, found)
    counts = ranking_counts(mentions, records, found)
    test, by_candidates = counts["test"], counts["test"]["by_candidates"]
    assert isinstance(by_candidates, dict)
    assert {key: value for key, value in test.items() if key != "by_candidates"} == {
        "mentions": 5,
        "chosen": 4,
        "described": 4,
        "with_gold": 5,
        "with_gold_candidate": 3,
        "right": 2,
        "share_right": 2 / 5,
        "share_right_where_possible": 2 / 3,
    }
    shown = {key: (part["mentions"], part["right"]) for key, part in by_candidates.items()}
    assert shown == {"0": (1, 0), "1": (1, 1), "2-5": (2, 1), "6-20": (1, 0), "21+": (0, 0)}
    assert counts["all"]["mentions"] == 6
    assert counts["all"]["chosen"] == 5
    assert counts["train"]["share_right"] is None
    assert counts["train"]["share_right_where_possible"] is None


@pytest.mark.parametrize("backend", ["none", "given"])
def test_where_nothing_is_chosen_no_share_is_right(backend: str) -> None:
    """A share of 0 would say that the choices were wrong."""
    mentions = [replace(mention("m", gold_qid="Q1"), description="painter")]
    found = {"m": candidates("m", "x", "y")}
    counts = ranking_counts(mentions, rank_mentions(backend, mentions, found), found)["test"]
    assert (counts["chosen"], counts["described"]) == (0, int(backend == "given"))
    assert (counts["with_gold"], counts["with_gold_candidate"], counts["right"]) == (1, 1, 0)
    assert counts["share_right"] is counts["share_right_where_possible"] is None


def test_the_stage_writes_descriptions_texts_and_counts(fake: Fake, at: Layout) -> None:
    write_records(at.mentions, Mention, [mention("m", "a sailor", "Q2"), mention("n")])
    write_records(at.entities, Entity, [])
    found = candidates("m", "painter", "sailor")
    write_records(at.candidates, Candidate, found, made_of=at.records)
    assert [record.qid for record in run(at, fake, backend="lexical")] == ["Q2", None]
    assert read_metadata(at.descriptions) == {"backend": "lexical", "encoder": None, "seed": 43}
    assert read_records(at.inputs("mention_text"), TextInput) == [
        TextInput("m", "Ada", "a sailor", "sailor"),
        TextInput("n", "Ada", "", None),
    ]
    assert at.ledger.read_text() == ""  # nobody was asked
    counts = read_json(at.rank_counts)
    assert counts["backend"] == "lexical"
    assert counts["test"]["share_right"] == 1.0


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
