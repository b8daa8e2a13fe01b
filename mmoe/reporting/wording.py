"""How names and numbers of the files are put into words: the same in HTML, Markdown and terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MISSING = "–"

_WORDS = ("BM25", "CLIP", "DSMIP", "id", "KB", "MIMIC", "MMoE", "MoE", "MRR", "QID")
_SPECIAL = {word.lower(): word for word in _WORDS} | {"m3el": "M³EL"}


def label(key: str) -> str:
    """A key of a file as a title: `exact_name` is "Exact name", `hits_at_1` is "Hits@1"."""
    if key.startswith("hits_at_"):
        return f"Hits@{key.removeprefix('hits_at_')}"
    words = [_SPECIAL.get(word, word) for word in key.split("_") if word]
    text = " ".join(words)
    return text if not words or words[0] in _SPECIAL.values() else text[0].upper() + text[1:]


def metric(name: str, value: float | None) -> str:
    """A metric's value: ranks with one decimal, percentages with two."""
    if value is None:
        return MISSING
    return f"{value:,.1f}" if name.endswith("rank") else f"{value:.2f}"


def interval(low: float, high: float) -> str:
    """Both ends of an interval."""
    return f"{minus(f'{low:.2f}')} to {minus(f'{high:.2f}')}"


def share(numbers: Mapping[str, Any], name: str) -> str:
    """A share in [0, 1] as a percentage, with its interval where `<name>_low` and `_high` are given."""
    value, low, high = (numbers.get(f"{name}{end}") for end in ("", "_low", "_high"))
    if value is None:
        return MISSING
    bounds = "" if low is None or high is None else f" ({100 * low:.1f}–{100 * high:.1f})"
    return f"{100 * value:.1f}{bounds}"


def signed(value: float) -> str:
    """A difference, with its sign."""
    return minus(f"{value:+.2f}")


def minus(text: str) -> str:
    """Puts a minus sign where Python prints a hyphen."""
    return text.replace("-", "−")


def plain(value: object) -> str:
    """A number, truth value, text or short list of a counts file; of a dict its keys."""
    match value:
        case None:
            return "none"
        case bool():
            return "yes" if value else "no"
        case int():
            return minus(f"{value:,}")
        case float():
            return minus(f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}")
        case list() | tuple() | dict():
            return ", ".join(map(plain, value)) or "none"
        case _:
            return str(value)
