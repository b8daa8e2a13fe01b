"""Values as text, alone or with the label of another entity."""

from __future__ import annotations

from typing import Any

import pytest

from mmoe.wikidata.knowledge.values import UnwrittenError, read_value, written_time

from tests.wikidata.knowledge.statements import amount_value, item_value, time_value

LANGUAGES = ("en", "fr")
LABELS = {"Q5": "human", "Q11573": "metre"}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Ada Testwell 1901.jpg", "Ada Testwell 1901.jpg"),
        (" two\n lines ", "two lines"),
        (item_value("Q5"), "human"),
        ({"entity-type": "item", "numeric-id": 5, "id": "Q5"}, "human"),
        (item_value("Q6"), None),
        (time_value("+1901-00-00T00:00:00Z", 9), "1901"),
        (amount_value("+828", "Q11573"), "828 metre"),
        (amount_value("-4.50", "Q11573"), "-4.50 metre"),
        (amount_value("+12"), "12"),
        (amount_value("12"), "12"),
        (amount_value("+1", "Q999"), None),
        ({"text": "Liberté", "language": "fr"}, "Liberté"),
        ({"text": "Li", "language": "mul"}, "Li"),
    ],
)
def test_each_kind_of_value(value: Any, expected: str | None) -> None:
    assert read_value(value, LANGUAGES).written(LABELS) == expected


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({"latitude": 1.5, "longitude": 2.5, "globe": "x"}, "of a kind that has no text"),
        (7, "of a kind that has no text"),
        ({"entity-type": "item", "numeric-id": 5}, "of a kind that has no text"),
        (time_value("+0000-00-00T00:00:00Z", 9), "time that can't be read"),
        ({"amount": 12, "unit": "1"}, "quantity that can't be read"),
        (amount_value("1e5"), "quantity that can't be read"),
        ({"amount": "+1", "unit": None}, "quantity that can't be read"),
        (" ", "empty text"),
        ({"text": "", "language": "fr"}, "empty text"),
        ({"text": "Freiheit", "language": "de"}, "in another language"),
        ({"text": "Freiheit"}, "in another language"),
    ],
)
def test_a_value_without_text_says_why(value: Any, reason: str) -> None:
    with pytest.raises(UnwrittenError, match=f"^{reason}$"):
        read_value(value, LANGUAGES)


@pytest.mark.parametrize(
    ("time", "precision", "expected"),
    [
        ("+1952-03-11T00:00:00Z", 11, "1952-03-11"),
        ("+1952-03-11T12:30:00Z", 14, "1952-03-11"),
        ("+1952-03-00T00:00:00Z", 10, "1952-03"),
        ("+1952-03-11T00:00:00Z", 10, "1952-03"),
        ("+1952-00-00T00:00:00Z", 9, "1952"),
        ("+1952-01-01T00:00:00Z", 9, "1952"),
        ("+1952-00-00T00:00:00Z", 11, "1952"),
        ("+1952-03-00T00:00:00Z", 11, "1952-03"),
        ("+1952-00-00T00:00:00Z", 8, "1950s"),
        ("+1901-00-00T00:00:00Z", 7, "20th century"),
        ("+2000-00-00T00:00:00Z", 7, "20th century"),
        ("+1100-00-00T00:00:00Z", 7, "11th century"),
        ("+0150-00-00T00:00:00Z", 7, "2nd century"),
        ("+2200-00-00T00:00:00Z", 7, "22nd century"),
        ("+0001-00-00T00:00:00Z", 6, "1st millennium"),
        ("+3000-00-00T00:00:00Z", 6, "3rd millennium"),
        ("-0044-03-15T00:00:00Z", 11, "44-03-15 BCE"),
        ("-0044-00-00T00:00:00Z", 9, "44 BCE"),
        ("-0450-00-00T00:00:00Z", 7, "5th century BCE"),
        ("-3000000-00-00T00:00:00Z", 3, "about 3000000 BCE"),
        ("+12025-06-01T00:00:00Z", 11, "12025-06-01"),
        ("+00000001952-03-11T00:00:00Z", 11, "1952-03-11"),
    ],
)
def test_times_of_every_precision(time: str, precision: int, expected: str) -> None:
    assert written_time(time_value(time, precision)) == expected


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"time": "+1952-03-11T00:00:00Z"},
        {"time": "+1952-03-11T00:00:00Z", "precision": "11"},
        {"time": "+1952-03-11T00:00:00Z", "precision": 15},
        {"time": "+1952-03-11T00:00:00Z", "precision": -1},
        {"time": "1952-03-11", "precision": 11},
        {"time": "+0000-00-00T00:00:00Z", "precision": 9},
        {"time": 1952, "precision": 9},
        {"time": None, "precision": 9},
    ],
)
def test_what_is_no_time_has_no_text(value: dict[str, Any]) -> None:
    assert written_time(value) is None
