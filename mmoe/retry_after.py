"""How long a server asks a client to stay away."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds that `retry-after-ms` or `retry-after` ask for; None if they say nothing that makes sense.

    Args:
        headers: names in lower case, or a mapping that does not mind the case.
        now: seconds since 1970, against which a date is read; one without a zone is in UTC.
    """
    milliseconds = _positive(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    text = headers.get("retry-after", "")
    seconds = _positive(text)
    if seconds is not None:
        return seconds
    try:
        date = parsedate_to_datetime(text)
        return _positive((date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - now)
    except (ValueError, OverflowError):
        return None


def _positive(value: str | float | None) -> float | None:
    try:
        number = float(value or 0)
    except ValueError:
        return None
    return number if math.isfinite(number) and number > 0 else None
