"""Points in time are written as far as their precision goes."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmoe.wikidata.knowledge.values import written_time

from tests.wikidata.knowledge.statements import time_value


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


@given(day=st.dates())
def test_a_day_is_written_as_iso_does_but_for_zeros_before_the_year(day: datetime.date) -> None:
    found = written_time(time_value(f"+{day.isoformat()}T00:00:00Z", 11))
    assert found == day.isoformat().lstrip("0")
