"""The tables of candidate retrieval: the source that was used first, shares with intervals."""

from __future__ import annotations

from typing import Any

from mmoe.reporting.retrieval import (
    ambiguous_words,
    candidate_histogram,
    cut_words,
    source_table,
)
from mmoe.wikidata.counts import retrieval_counts

from tests.wikidata.slices import mention
from tests.wikidata.test_counts import candidates


def counts_of(*found: list[str]) -> dict[str, Any]:
    mentions = [mention(f"word {row}", f"m{row}", "Q1") for row in range(len(found))]
    rows = [row for n, qids in enumerate(found) for row in candidates(f"m{n}", *qids)]
    return retrieval_counts(mentions, rows)


COUNTS = {
    "source": "api",
    "sources": {"api": counts_of(["Q1"], ["Q2", "Q1"], [], []), "kb": counts_of([], [], [], [])},
}
RUNS = {
    "api": {"seconds": 12.5, "requests": {"search": 4, "entities": 1}, "words_cut": ["ob", "li"]},
    "kb": {"seconds": 0.01, "requests": {}},
}


def test_one_column_a_source() -> None:
    grid = source_table(COUNTS, RUNS)
    assert grid.titles == ("", "Wikidata's API (used)", "Knowledge base")
    used = {row[0]: row[1] for row in grid.rows}
    assert used["No candidate, %"] == "50.0"
    assert used["Mean number"] == "0.8"
    assert used["Gold first, %"] == "25.0 (4.6–69.9)"
    assert (used["Seconds"], used["Requests"]) == ("12.5", "5")
    assert grid.rows[-1] == ("Words with more items than it lists", "2", "–")
    assert {len(row) for row in grid.rows} == {3}


def test_the_first_dozen_of_the_cut_words_is_named() -> None:
    assert cut_words(COUNTS, RUNS) == "ob, li"
    many = RUNS["api"] | {"words_cut": [f"w{number}" for number in range(13)]}
    told = cut_words(COUNTS, RUNS | {"api": many})
    assert told == "w0, w1, w2, w3, w4, w5, w6, w7, w8, w9, w10, w11, …"
    assert cut_words(COUNTS, RUNS | {"api": RUNS["kb"]}) == ""


def test_recall_of_no_mention_is_a_dash() -> None:
    nothing = retrieval_counts([], [])
    grid = source_table({"source": "kb", "sources": {"kb": nothing}}, RUNS)
    assert {row[1] for row in grid.rows[:-2]} == {"–"}


def test_histogram_and_words() -> None:
    assert ("2", "1", "0") in candidate_histogram(COUNTS).rows
    assert ambiguous_words(COUNTS).rows == (("word 1", "2", "1"),)
