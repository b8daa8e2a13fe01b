"""What the headers of an answer say about when to come back."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import NamedTuple

_SECONDS = {"ms": 0.001, "us": 1e-6, "µs": 1e-6, "ns": 1e-9, "s": 1, "m": 60, "h": 3600, "d": 86400}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|us|µs|ns|s|m|h|d)")
_A_DATE = 1e9  # numbers above are seconds since 1970


class Allowance(NamedTuple):
    """How many requests may still come within so many seconds, or how many tokens."""

    remaining: int
    reset: float


def retry_after(headers: Mapping[str, str], wall: float) -> float | None:
    """Seconds that the server wants us to wait; None if it says nothing that makes sense.

    Args:
        headers: names in lower case.
        wall: seconds since 1970, against which a date is read.
    """
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None and milliseconds > 0:
        return milliseconds / 1000
    text = headers.get("retry-after", "")
    seconds = _number(text)
    if seconds is None:
        try:
            seconds = parsedate_to_datetime(text).timestamp() - wall
        except (ValueError, OverflowError):
            return None
    return seconds if seconds > 0 else None


def allowance(headers: Mapping[str, str], unit: str, wall: float) -> Allowance | None:
    """What is left of "requests" or "tokens"; None if the server does not say."""
    remaining = _number(headers.get(f"x-ratelimit-remaining-{unit}"))
    reset = duration(headers.get(f"x-ratelimit-reset-{unit}"), wall)
    if remaining is None or remaining < 0 or reset is None:
        return None
    return Allowance(int(remaining), reset)


def duration(text: str | None, wall: float) -> float | None:
    """Seconds of "1s", "20ms", "6m0s", of a plain number, or up to a date in seconds since 1970."""
    if text is None:
        return None
    plain = _number(text)
    if plain is not None:
        seconds = plain - wall if plain > _A_DATE else plain
        return seconds if seconds >= 0 else None
    compact = text.strip().lower()
    parts = _PART.findall(compact)
    if not parts or "".join(number + unit for number, unit in parts) != compact:
        return None
    return sum(float(number) * _SECONDS[unit] for number, unit in parts)


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if math.isfinite(number) else None
