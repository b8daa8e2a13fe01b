"""Shares of a whole, and how far they would move with another draw."""

from __future__ import annotations

import math

NORMAL_95 = 1.959964  # standard deviations on each side that hold 95 % of a normal distribution


def share_of(part: int, whole: int) -> float | None:
    """A share in [0, 1]; None of nothing."""
    return part / whole if whole else None


def share_with_interval(name: str, part: int, whole: int) -> dict[str, float | None]:
    """A share and its 95 % interval under flat names: `name`, `name_low`, `name_high`; nulls of nothing."""
    low, high = wilson_interval(part, whole) if whole else (None, None)
    return {name: share_of(part, whole), f"{name}_low": low, f"{name}_high": high}


def wilson_interval(part: int, whole: int) -> tuple[float, float]:
    """95 % interval of a share, which stays within [0, 1] and is not empty at its ends.

    Source: E. B. Wilson, Probable inference, the law of succession, and statistical inference (1927).
    """
    share, spread = part / whole, NORMAL_95**2 / whole
    middle = (share + spread / 2) / (1 + spread)
    half = NORMAL_95 * math.sqrt(share * (1 - share) / whole + spread / (4 * whole)) / (1 + spread)
    return max(0.0, middle - half), min(1.0, middle + half)
