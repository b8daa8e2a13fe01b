"""Names and numbers as they are printed."""

from __future__ import annotations

import pytest

from mmoe.reporting import wording


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
