"""The tables of candidate retrieval: the source that was used first, shares with intervals."""

from __future__ import annotations

from typing import Any

from mmoe.records import Candidate, Mention
from mmoe.reporting.data import (
    ambiguous_surface_forms,
    candidate_histogram,
    cut_surface_forms,
    source_table,
)
from mmoe.wikidata.counts import retrieval_counts


def counts_of(*found: list[str]) -> dict[str, Any]:
    mentions = [
        Mention(f"m{row}", "s", f"form {row}", "", None, "Q1", True, "test")
        for row in range(len(found))
    ]
    rows = [
        Candidate(f"m{row}", position, qid, "", "", "label", None)
        for row, qids in enumerate(found)
        for position, qid in enumerate(qids)
    ]
    return retrieval_counts(mentions, rows)


API = counts_of(["Q1"], ["Q2", "Q1"], [], [])
COUNTS: dict[str, Any] = {"source": "api", "sources": {"api": API, "kb": counts_of([], [], [], [])}}


def test_one_column_a_source() -> None:
    texts = source_table(COUNTS).texts
    assert list(texts.columns) == ["Wikidata's API (used)", "Knowledge base"]
    used = texts["Wikidata's API (used)"]
    assert used["No candidate, %"] == "50.0"
    assert used["Mean number"] == "0.8"
    assert used["Gold first, %"] == "25.0 (4.6–69.9)"


def test_surface_forms_that_the_api_cut_are_counted_and_the_first_dozen_named() -> None:
    assert cut_surface_forms(COUNTS) == ""
    many = [f"w{number}" for number in range(13)]
    cut = {
        "source": "api",
        "sources": COUNTS["sources"] | {"api": API | {"surface_forms_cut": many}},
    }
    assert cut_surface_forms(cut) == "w0, w1, w2, w3, w4, w5, w6, w7, w8, w9, w10, w11, …"
    assert source_table(cut).texts.iloc[-1].tolist() == ["13", "–"]


def test_no_mention_has_neither_shares_nor_ambiguous_forms() -> None:
    nothing = {"source": "kb", "sources": {"kb": retrieval_counts([], [])}}
    assert set(source_table(nothing).texts["Knowledge base (used)"]) == {"–"}
    assert ambiguous_surface_forms(nothing) is None


def test_histogram_and_ambiguous_forms() -> None:
    assert candidate_histogram(COUNTS).texts.T["2"].tolist() == ["1", "0"]
    forms = ambiguous_surface_forms(COUNTS)
    assert forms is not None
    assert forms.texts.T["form 1"].tolist() == ["2", "1"]
