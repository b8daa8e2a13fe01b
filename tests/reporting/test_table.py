"""Which value is the best, and how a table looks as Markdown."""

from __future__ import annotations

from mmoe.reporting.markdown import cell, markdown_table
from mmoe.reporting.table import System, metrics_table

SYSTEMS = (
    System("Ours", "ours", {"mrr": 89.604, "mrr_low": 88.0, "mrr_high": 91.0, "mean_rank": 12.0}),
    System("A|B", "baseline", {"mrr": 89.601, "mean_rank": 7.0}),
    System("Name", "baseline", {"mrr": 26.6}),
    System("None", "baseline", {}),
)


def best(columns: tuple[str, ...]) -> list[list[bool]]:
    return [[cell.is_best for cell in row.cells] for row in metrics_table(SYSTEMS, columns).rows]


def test_the_highest_percentage_and_the_lowest_rank_are_best() -> None:
    assert best(("mean_rank",)) == [[False], [True], [False], [False]]


def test_values_that_print_alike_share_the_first_place_unless_most_do() -> None:
    systems = [
        System(name, "baseline", {"mrr": mrr})
        for name, mrr in zip("abcd", (5, 5, 5, 1), strict=True)
    ]
    assert not any(cell.is_best for r in metrics_table(systems, ["mrr"]).rows for cell in r.cells)
    rows = metrics_table([*systems[1:], systems[3]], ["mrr"]).rows
    assert [row.cells[0].is_best for row in rows] == [True, True, False, False]


def test_columns_without_any_value_are_left_out() -> None:
    table = metrics_table(SYSTEMS, ("mrr", "mrr_interval", "hits_at_7", "mean_rank"))
    assert table.titles == ("MRR", "95 % interval", "Mean rank")
    assert [cell.text for cell in table.rows[3].cells] == ["–", "–", "–"]


def test_markdown_is_aligned_and_escaped() -> None:
    table = metrics_table(SYSTEMS[:3], ("mrr", "mrr_interval", "mean_rank"))
    assert markdown_table(table) == (
        "|          |   MRR |  95 % interval | Mean rank |\n"
        "| -------- | ----: | -------------: | --------: |\n"
        "| **Ours** | 89.60 | 88.00 to 91.00 |      12.0 |\n"
        "| A\\|B     | 89.60 |              – |   **7.0** |\n"
        "| Name     | 26.60 |              – |         – |\n"
    )


def test_a_cell_holds_no_markup_and_no_line_break() -> None:
    assert cell("a|b\n<b> *c* [d](e) \\") == r"a\|b &lt;b> \*c\* \[d\](e) " + "\\\\"
