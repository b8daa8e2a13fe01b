"""Which mentions are shown, and where their word is marked."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmoe.errors import DataError
from mmoe.reporting.examples import Context, choose_rows, cut_at_word, examples
from mmoe.reporting.inputs import Inputs
from mmoe.reporting.ranked import RankedMentions


def ranked(ranks: list[int], ids: list[str] | None = None) -> RankedMentions:
    names = ids or [f"m{i}" for i in range(len(ranks))]
    columns = {
        "mention_id": pa.array(names, pa.string()),
        "gold_qid": pa.array(["Q1"] * len(ranks), pa.string()),
        "rank": pa.array(ranks, pa.int64()),
        "untrained_rank": pa.nulls(len(ranks), pa.int64()),
        "top": pa.nulls(len(ranks), pa.list_(pa.struct([("qid", pa.string())]))),
    }
    return RankedMentions(pa.table(columns))


@settings(deadline=None)  # a shared machine may stall
@given(st.lists(st.integers(1, 50), max_size=40), st.integers(0, 30))
def test_half_of_the_rows_are_errors_as_far_as_there_are_any(ranks: list[int], num: int) -> None:
    rows = choose_rows(ranked(ranks), num)
    chosen = [ranks[row] for row in rows]
    num_wrong, all_wrong = sum(rank > 1 for rank in chosen), sum(rank > 1 for rank in ranks)
    assert len(set(rows)) == len(rows) == min(num, len(ranks))
    assert num_wrong == min(all_wrong, max((num + 1) // 2, num - (len(ranks) - all_wrong)))
    worst = sorted((rank for rank in ranks if rank > 1), reverse=True)[: (num_wrong + 1) // 2]
    assert chosen[: len(worst)] == worst


def test_the_choice_follows_the_ids_and_not_the_order() -> None:
    ranks = [1, 9, 1, 4, 1, 2, 1, 3]
    names = [f"m{i}" for i in range(8)]
    there = [names[row] for row in choose_rows(ranked(ranks, names), 4)]
    back = choose_rows(ranked(ranks[::-1], names[::-1]), 4)
    assert [names[::-1][row] for row in back] == there


@pytest.mark.parametrize(
    ("context", "surface_form", "cut"),
    [
        ("An art critic of Art.", "Art", ("An art critic of ", "Art", ".")),
        ("Partly art", "art", ("Partly ", "art", "")),
        ("Partly done", "art", ("P", "art", "ly done")),
        ("MERCURY rises", "mercury", ("", "MERCURY", " rises")),
        ("A (b) c", "(b)", ("A ", "(b)", " c")),
        ("We saw 🏜️ there", "🏜️", ("We saw ", "🏜️", " there")),
        ("nothing", "surface_form", ("nothing", "", "")),
        ("nothing", " ", ("nothing", "", "")),
        ("", "surface_form", ("", "", "")),
    ],
)
def test_the_word_is_found(context: str, word: str, cut: tuple[str, str, str]) -> None:
    assert cut_at_word(context, word) == Context(*cut)


@settings(deadline=None)  # a shared machine may stall
@given(st.text(), st.text(max_size=5))
def test_cutting_loses_nothing(context: str, word: str) -> None:
    cut = cut_at_word(context, word)
    assert cut.before + cut.surface_form + cut.after == context
    if word.strip() and word.strip() in context:
        assert cut.surface_form


def test_the_gold_entity_is_always_in_the_ranking(inputs: Inputs) -> None:
    shown = examples(inputs, 12)
    assert {example.rank for example in shown} > {1}
    for example in shown:
        gold = [row for row in example.top if row.is_gold]
        assert [row.position for row in gold] == [example.rank]
        assert 5 <= len(example.top) <= 6


def test_a_unit_that_the_matcher_lacks_has_no_column(inputs: Inputs) -> None:
    assert {example.units for example in examples(inputs, 12)} == {("text", "vision", "cross")}


def test_files_of_different_runs_are_told_apart(inputs: Inputs) -> None:
    with pytest.raises(DataError, match=r"ranks\.parquet names mention m\d+, which"):
        examples(replace(inputs, mentions={}), 1)
    with pytest.raises(DataError, match=r"ranks\.parquet names entity Q\d+, which"):
        examples(replace(inputs, entities={}), 1)
