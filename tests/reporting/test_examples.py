"""Which mentions are shown, where their surface form is marked, and whose scores are printed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmoe.errors import DataError
from mmoe.reporting.examples import choose_rows, examples
from mmoe.reporting.inputs import Inputs
from mmoe.reporting.page import build_report

from tests.reporting.fixture import read_run, write_run

pytestmark = pytest.mark.usefixtures("without_charts")


def ranked(ranks: list[int]) -> pd.DataFrame:
    return pd.DataFrame({"mention_id": [f"m{i}" for i in range(len(ranks))], "rank": ranks})


@given(st.lists(st.integers(1, 50), max_size=40), st.integers(0, 30))
def test_half_of_the_rows_are_errors_as_far_as_there_are_any(ranks: list[int], num: int) -> None:
    rows, ids = choose_rows(ranked(ranks), num), [f"m{i}" for i in range(len(ranks))]
    chosen = [ranks[row] for row in rows]
    num_wrong, all_wrong = sum(rank > 1 for rank in chosen), sum(rank > 1 for rank in ranks)
    assert len(set(rows)) == len(rows) == min(num, len(ranks))
    assert num_wrong == min(all_wrong, max((num + 1) // 2, num - (len(ranks) - all_wrong)))
    worst = sorted((rank for rank in ranks if rank > 1), reverse=True)[: (num_wrong + 1) // 2]
    assert chosen[: len(worst)] == worst
    # The choice follows the ids, not the order.
    back = choose_rows(ranked(ranks[::-1]).assign(mention_id=ids[::-1]), num)
    assert [ids[::-1][row] for row in back] == [ids[row] for row in rows]


def test_the_surface_form_is_marked_where_it_stands(inputs: Inputs) -> None:
    java = replace(inputs.mentions["m0"], surface_form="Java", context="Javanese tea from Java.")
    lost = replace(inputs.mentions["m1"], surface_form="Java", context="Tea.")
    mentions = inputs.mentions | {"m0": java, "m1": lost}
    shown = {
        each.mention: each.context for each in examples(replace(inputs, mentions=mentions), 12)
    }
    assert shown[java] == ("Javanese tea from ", "Java", ".")
    assert shown[lost] == ("Tea.", "", "")


def test_the_gold_entity_is_always_in_the_ranking_with_its_own_scores(inputs: Inputs) -> None:
    shown = examples(inputs, 12)
    assert {example.rank for example in shown} > {1}
    assert max(example.rank for example in shown) > 6  # beyond the entities that were kept
    for example in shown:
        (gold,) = [row for row in example.top if row.is_gold]
        assert gold.position == example.rank
        assert 5 <= len(example.top) <= 6
        if example.rank > 6:
            assert gold.scores[:2] == (f"−{example.rank}.000", "−0.250")


def test_units_are_named_by_the_matcher(tmp_path: Path) -> None:
    toy = read_run(write_run(tmp_path / "toy", units=("toy",)))
    shown = examples(toy, 12)
    assert {example.units for example in shown} == {("toy",)}
    assert '<th scope="col">Toy</th>' in build_report(toy, 1).html


def test_files_of_different_runs_are_told_apart(inputs: Inputs) -> None:
    with pytest.raises(DataError, match=r"ranks\.parquet names mention m\d+, which"):
        examples(replace(inputs, mentions={}), 1)
    with pytest.raises(DataError, match=r"ranks\.parquet names entity Q\d+, which"):
        examples(replace(inputs, entities={}), 1)
