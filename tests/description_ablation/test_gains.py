"""What descriptions gain over none, and which part of the oracle's gain that is."""

from __future__ import annotations

import pandas as pd
import pytest

from mmoe.description_ablation.gains import gains

RANKS = {"lexical": [1, 4, 2, 1], "none": [2, 2, 2, 2], "oracle_candidate": [1, 1, 1, 2]}


def frame(ranks: dict[str, list[int]]) -> pd.DataFrame:
    rows = [
        (f"m{i}", backend, "system", rank, rank)
        for backend, found in ranks.items()
        for i, rank in enumerate(found)
    ]
    columns = ["mention_id", "backend", "system", "rank", "rank_optimistic"]
    return pd.DataFrame(rows, columns=columns)


def test_gains_are_over_none_and_gaps_are_parts_of_perfects() -> None:
    table = gains(frame(RANKS), samples=200)["system"]
    mrr = {"lexical": 68.75, "none": 50.0, "oracle_candidate": 87.5}
    assert {name: row["mrr"] for name, row in table.items()} == mrr
    assert {name: row["gain_mrr"] for name, row in table.items()} == {
        name: value - 50 for name, value in mrr.items()
    }
    assert [row["gap_closed"] for row in table.values()] == [0.5, 0, 1]
    perfect = table["oracle_candidate"]
    assert perfect["gap_closed_low"] == perfect["gap_closed_high"] == 1
    low, high = table["lexical"]["gain_mrr_low"], table["lexical"]["gain_mrr_high"]
    assert low is not None
    assert high is not None
    assert low < 18.75 < high


def test_where_perfect_gains_nothing_there_is_no_gap() -> None:
    table = gains(frame(RANKS | {"oracle_candidate": [2, 2, 2, 2]}), samples=100)["system"]
    assert [row["gap_closed"] for row in table.values()] == [None, None, None]


@pytest.mark.parametrize(
    ("left_out", "missing"),
    [("none", {"gain_mrr", "gap_closed"}), ("oracle_candidate", {"gap_closed"})],
)
def test_what_was_not_compared_is_not_told(left_out: str, missing: set[str]) -> None:
    ranks = {name: found for name, found in RANKS.items() if name != left_out}
    for row in gains(frame(ranks), samples=100)["system"].values():
        assert "mrr" in row
        assert not missing & row.keys()
