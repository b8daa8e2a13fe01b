"""Counts of candidates and recall of the gold entity."""

from __future__ import annotations

from dataclasses import replace

from mmoe.records import Candidate
from mmoe.wikidata.counts import retrieval_counts

from tests.wikidata.slices import mention


def candidates(mention_id: str, *qids: str) -> list[Candidate]:
    return [
        Candidate(mention_id, position, qid, "", "", "label", None)
        for position, qid in enumerate(qids)
    ]


def test_counts_shares_and_recall() -> None:
    mentions = [
        mention("a", "m1", "Q1"),
        mention("b", "m2", "Q2"),
        mention("c", "m3", "Q3"),
        mention("nil", "m4", None),
    ]
    many = [f"Q{number}" for number in range(100, 106)]
    # The positions decide, not the order of the rows.
    rows = candidates("m4", "Q1") + candidates("m2", *many, "Q2")[::-1] + candidates("m1", "Q1")
    counts = retrieval_counts(mentions, rows)
    numbers = {k: v for k, v in counts["test"].items() if not k.endswith(("_low", "_high"))}
    assert numbers == {
        "mentions": 4,
        "mentions_without_candidate": 1,
        "mentions_with_one_candidate": 2,
        "mentions_with_several_candidates": 1,
        "share_without_candidate": 0.25,
        "share_with_one_candidate": 0.5,
        "share_with_several_candidates": 0.25,
        "mean_candidates": 9 / 4,
        "mentions_with_gold": 3,
        "recall_at_1": 1 / 3,
        "recall_at_5": 1 / 3,
        "recall_at_20": 2 / 3,
        "recall_at_all": 2 / 3,
    }


def test_a_share_of_nothing_is_null() -> None:
    counts = retrieval_counts([replace(mention("a", "m1", None), split="train")], [])
    assert counts["train"]["share_without_candidate"] == 1.0
    assert counts["train"]["recall_at_1"] is None
    assert counts["valid"]["share_without_candidate"] is None
    assert counts["all"]["mentions"] == 1


def test_mentions_by_number_of_candidates() -> None:
    many = [f"Q{number}" for number in range(60)]
    sizes = {"none": 0, "one": 1, "three": 3, "five": 5, "fifty": 50, "more": 51}
    rows = [row for name, size in sizes.items() for row in candidates(name, *many[:size])]
    counts = retrieval_counts([mention(name, name) for name in sizes], rows)
    names = ["0", "1", "2", "3–5", "6–10", "11–20", "21–50", ">50"]
    assert [row["candidates"] for row in counts["histogram"]] == names
    assert [row["mentions"] for row in counts["histogram"]] == [1, 1, 0, 2, 0, 0, 1, 1]


def test_the_most_ambiguous_words_come_first_and_once() -> None:
    words = {"m1": "Paris", "m2": "PARIS", "m3": "Ada", "m4": "Ben", "m5": "Cy"}
    rows = [
        *(row for name in ("m1", "m2", "m3") for row in candidates(name, "Q1", "Q2")),
        *candidates("m4", "Q1", "Q2", "Q3"),
        *candidates("m5", "Q1"),
    ]
    mentions = [mention(word, mention_id) for mention_id, word in words.items()]
    assert retrieval_counts(mentions, rows)["most_ambiguous"] == [
        {"surface_form": "ben", "candidates": 3, "mentions": 1},
        {"surface_form": "ada", "candidates": 2, "mentions": 1},
        {"surface_form": "paris", "candidates": 2, "mentions": 2},
    ]
