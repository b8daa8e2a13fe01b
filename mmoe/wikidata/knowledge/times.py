"""Wikidata's points in time as text, as far as their precision goes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

# A year has any number of digits; month and day are 00 where the precision is coarser.
_TIME = re.compile(r"([+-])(\d+)-(\d\d)-(\d\d)T")

MILLENNIUM, CENTURY, DECADE, YEAR, MONTH, DAY, SECOND = 6, 7, 8, 9, 10, 11, 14


def written_time(value: Mapping[str, Any]) -> str | None:
    """A point in time: 1952-03-11, 1952-03, 1952, 1950s, 20th century, about 3000000; then BCE, if it is.

    Args:
        value: with `time` and `precision`, as a statement holds them. -0044 is 44 BCE: there is no year 0.
    Returns:
        null if it is not of the documented form.
    Source: Wikibase's JSON documentation.
    """
    time, precision = value.get("time"), value.get("precision")
    match = _TIME.match(time) if isinstance(time, str) else None
    if match is None or not isinstance(precision, int) or not 0 <= precision <= SECOND:
        return None
    sign, year, month, day = match[1], int(match[2]), match[3], match[4]
    if year == 0:
        return None
    # A precision that the digits don't bear out is taken as coarse as they are.
    finest = YEAR if month == "00" else MONTH if day == "00" else DAY
    text = _written(year, month, day, min(precision, finest))
    return f"{text} BCE" if sign == "-" else text


def _written(year: int, month: str, day: str, precision: int) -> str:
    if precision == DAY:
        return f"{year}-{month}-{day}"
    if precision == MONTH:
        return f"{year}-{month}"
    if precision == YEAR:
        return f"{year}"
    if precision == DECADE:
        return f"{year // 10 * 10}s"
    if precision == CENTURY:
        return f"{_ordinal(-(-year // 100))} century"
    if precision == MILLENNIUM:
        return f"{_ordinal(-(-year // 1000))} millennium"
    return f"about {year}"


def _ordinal(number: int) -> str:
    is_teen = number % 100 in (11, 12, 13)
    return f"{number}{'th' if is_teen else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"
