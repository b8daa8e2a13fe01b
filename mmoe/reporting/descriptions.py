"""What descriptions are worth: right choices, and the ranks of every system with each backend's."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from mmoe.records import READS_ANSWER
from mmoe.reporting.audit import Grid
from mmoe.reporting.wording import MISSING, label, metric, minus, plain, signed

BACKENDS = {
    "none": "None",
    "first": "First (most articles)",
    "lexical": "Lexical (BM25)",
    "embedding": "Embedding",
    "given": "Given by the data set",
    "openai": "Language model",
    "random": "Random",
    # A star: it reads the answer.
    "oracle_candidate": "Perfect choice *",
    "oracle_description": "Gold's description *",
}

Cell = Callable[[Mapping[str, Any]], str]


def reads_answer(worth: Mapping[str, Any]) -> bool:
    """Whether the run's own descriptions were chosen with the answer at hand: its figures are bounds."""
    return worth["used"] in READS_ANSWER


def choice_table(worth: Mapping[str, Any]) -> Grid:
    """How often each backend chose the gold entity; shares with Wilson's intervals."""
    titles = ("", "Chosen", "Right, % of all", "… where possible", "… among several")
    rows = [
        (
            _name(backend, worth),
            plain(found["chosen"]),
            _share(found, "share_right"),
            _share(found, "share_right_where_possible"),
            _share(found, "share_right_of_several"),
        )
        for backend, found in worth["choices"].items()
    ]
    return Grid(titles, tuple(rows))


def mrr_table(worth: Mapping[str, Any]) -> Grid:
    """MRR of every system, one a column, with the descriptions of each backend, one a row."""

    def cell(found: Mapping[str, Any]) -> str:
        return f"{metric('mrr', found['mrr'])} ({found['mrr_low']:.1f}–{found['mrr_high']:.1f})"

    return _by_system(worth, cell)


def gain_table(worth: Mapping[str, Any]) -> Grid | None:
    """Gain over no description, paired; null where `none` was not among the backends."""

    def cell(found: Mapping[str, Any]) -> str:
        low, high = (minus(f"{found[f'gain_mrr_{end}']:.1f}") for end in ("low", "high"))
        return f"{signed(found['gain_mrr'])} ({low} to {high})"

    return _by_system(worth, cell, without=("none",)) if _have(worth, "gain_mrr") else None


def gap_table(worth: Mapping[str, Any]) -> Grid | None:
    """The part of a perfect choice's gain that each backend reaches; null where it can't be told."""

    def cell(found: Mapping[str, Any]) -> str:
        part, low, high = (found[f"gap_closed{end}"] for end in ("", "_low", "_high"))
        if part is None:
            return MISSING
        return minus(f"{100 * part:.0f} ({100 * low:.0f} to {100 * high:.0f})")

    trivial = ("none", "oracle_candidate")
    return _by_system(worth, cell, without=trivial) if _have(worth, "gap_closed") else None


def _by_system(worth: Mapping[str, Any], cell: Cell, without: Collection[str] = ()) -> Grid:
    systems = worth["systems"]
    rows = [
        (_name(backend, worth), *(cell(found[backend]) for found in systems.values()))
        for backend in worth["choices"]
        if backend not in without
    ]
    return Grid(("", *(label(name) for name in systems)), tuple(rows))


def _have(worth: Mapping[str, Any], key: str) -> bool:
    return all(key in found for of in worth["systems"].values() for found in of.values())


def _name(backend: str, worth: Mapping[str, Any]) -> str:
    return BACKENDS.get(backend, label(backend)) + (" (used)" if backend == worth["used"] else "")


def _share(found: Mapping[str, Any], name: str) -> str:
    share, low, high = (found[f"{name}{end}"] for end in ("", "_low", "_high"))
    return MISSING if share is None else f"{100 * share:.1f} ({100 * low:.1f}–{100 * high:.1f})"
