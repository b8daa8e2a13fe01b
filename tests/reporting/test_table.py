"""Names and numbers as they are printed, which value is the best, and how a table looks as Markdown."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mmoe.reporting import wording
from mmoe.reporting.table import System, Table, cell, markdown_table, metrics_table

SYSTEMS = (
    System("Ours", "ours", {"mrr": 89.604, "mrr_low": 88.0, "mrr_high": 91.0, "mean_rank": 12.0}),
    System("A|B", "baseline", {"mrr": 89.601, "mean_rank": 7.0}),
    System("Name", "baseline", {"mrr": 26.6}),
    System("None", "baseline", {}),
)


def test_values_that_print_alike_share_the_first_place_unless_most_do() -> None:
    systems = [
        System(name, "baseline", {"mrr": mrr})
        for name, mrr in zip("abcd", (5, 5, 5, 1), strict=True)
    ]
    assert not np.any(metrics_table(systems, ["mrr"]).best)
    table = metrics_table([*systems[1:], systems[3]], ["mrr"])
    assert [row.cells[0] for row in table.rows()] == [("5.00", True)] * 2 + [("1.00", False)] * 2


def test_columns_without_any_value_are_left_out() -> None:
    table = metrics_table(SYSTEMS, ("mrr", "mrr_interval", "hits_at_7", "mean_rank"))
    assert table.titles == ["MRR", "MRR, 95 %", "Mean rank"]
    assert table.texts.iloc[3].tolist() == ["–", "–", "–"]


def test_markdown_is_aligned_and_escaped() -> None:
    table = metrics_table(SYSTEMS[:3], ("mrr", "mrr_interval", "mean_rank"))
    assert markdown_table(table) == (
        "|          |   MRR |      MRR, 95 % | Mean rank |\n"
        "| -------- | ----: | -------------: | --------: |\n"
        "| **Ours** | 89.60 | 88.00 to 91.00 |      12.0 |\n"
        "| A\\|B     | 89.60 |              – |   **7.0** |\n"
        "| Name     | 26.60 |              – |         – |\n"
    )


def test_notes_and_texts_stand_at_the_left() -> None:
    texts = pd.DataFrame({"Settings": ["a", "long"]}, index=["Data", "x"])
    assert markdown_table(Table(texts, notes=("one", "two")), numbers=False) == (
        "|      | Settings | source |\n"
        "| ---- | -------- | ------ |\n"
        "| Data | a        | one    |\n"
        "| x    | long     | two    |\n"
    )


def test_a_cell_holds_no_markup_and_no_line_break() -> None:
    assert cell("a|b\n<b> *c* [d](e) \\") == r"a\|b &lt;b> \*c\* \[d\](e) " + "\\\\"


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("hits_at_10", "Hits@10"),
        ("mrr", "MRR"),
        ("exact_name", "Exact name"),
        ("bm25_name_only", "BM25 name only"),
        ("20", "20"),
    ],
)
def test_labels(key: str, text: str) -> None:
    assert wording.label(key) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "none"),
        (True, "yes"),
        (17_805, "17,805"),
        (-3, "−3"),
        (0.87654321, "0.8765"),
        (123_456.7, "123,457"),
        (1e-7, "1e−07"),
        ([1, "a"], "1, a"),
        ({}, "none"),
    ],
)
def test_plain_values(value: object, text: str) -> None:
    assert wording.plain(value) == text


def test_metrics_ranks_and_differences() -> None:
    assert wording.metric("mrr", 89.6) == "89.60"
    assert wording.metric("mean_rank", 1234.56) == "1,234.6"
    assert wording.metric("mrr", None) == "–"
    assert wording.signed(0.94) == "+0.94"
    assert wording.interval(-0.5, 1) == "−0.50 to 1.00"


def test_shares_have_their_interval_where_it_is_known() -> None:
    assert wording.share({"a": 0.25, "a_low": 0.1, "a_high": 0.5}, "a") == "25.0 (10.0–50.0)"
    assert wording.share({"a": 0.25}, "a") == "25.0"
    assert wording.share({"a": None, "a_low": None}, "a") == "–"
