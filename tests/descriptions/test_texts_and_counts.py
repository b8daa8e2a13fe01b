"""The mentions' text input, and how often ranking was right."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mmoe.descriptions import mention_texts, rank_mentions
from mmoe.descriptions.counts import ranking_counts
from mmoe.errors import RankingError
from mmoe.files import read_json
from mmoe.records import (
    Candidate,
    Description,
    Mention,
    TextInput,
    read_metadata,
    read_records,
    write_records,
)

from pipeline.layout import Layout
from tests.descriptions.llm_client.fake.server import Fake
from tests.descriptions.rows import candidates, mention
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
    write_records(at.candidates, Candidate, candidates("m", "painter", "sailor"))
    assert [record.qid for record in run(at, fake, backend="lexical")] == ["Q2", None]
    assert read_metadata(at.descriptions) == {"backend": "lexical"}
    assert read_records(at.inputs("mention_text"), TextInput) == [
        TextInput("m", "Ada", "a sailor", "sailor"),
        TextInput("n", "Ada", "", None),
    ]
    assert at.ledger.read_text() == ""  # nobody was asked
    counts = read_json(at.rank_counts)
    assert counts["backend"] == "lexical"
    assert counts["test"]["share_right"] == 1.0
