"""What descriptions are worth: right choices, and the ranks of every system with each backend's."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

import pandas as pd

from mmoe.reporting.table import Table
from mmoe.reporting.wording import MISSING, label, metric, minus, plain, share, signed

BACKENDS = {
    "none": "None",
    "first": "First (most articles)",
    "lexical": "Lexical (BM25)",
    "embedding": "Embedding",
    "given": "Given by the data set",
    "openai": "Language model",
    "random": "Random",
    # A star: it reads the answer.
    "oracle_candidate": "Oracle candidate *",
    "oracle_description": "Oracle description *",
}
SHARES = {
    "share_right": "Right, % of all",
    "share_right_where_possible": "… where possible",
    "share_right_of_several": "… among several",
}

Ablation = Mapping[str, Any]  # description_ablation.json
Numbers = Mapping[str, Any]


def choice_table(ablation: Ablation) -> Table:
    """How often each backend chose the gold entity; shares with Wilson's intervals."""
    rows = {
        _name(backend, ablation): {"Chosen": plain(found["chosen"])}
        | {title: share(found, key) for key, title in SHARES.items()}
        for backend, found in ablation["choices"].items()
    }
    return Table(pd.DataFrame.from_dict(rows, orient="index"))


def mrr_table(ablation: Ablation) -> Table:
    """MRR of every system, one a column, with the descriptions of each backend, one a row."""
    return _by_system(
        ablation, lambda f: f"{metric('mrr', f['mrr'])} ({f['mrr_low']:.1f}–{f['mrr_high']:.1f})"
    )


def gain_table(ablation: Ablation) -> Table | None:
    """Gain over no description, paired; None where `none` was not among the backends."""

    def text(found: Numbers) -> str:
        low, high = (minus(f"{found[f'gain_mrr_{end}']:.1f}") for end in ("low", "high"))
        return f"{signed(found['gain_mrr'])} ({low} to {high})"

    return _by_system(ablation, text, without=("none",)) if _have(ablation, "gain_mrr") else None


def gap_table(ablation: Ablation) -> Table | None:
    """The part of the oracle candidate's gain that each backend reaches; None if it wasn't measured."""

    def text(found: Numbers) -> str:
        if found["gap_closed"] is None:
            return MISSING
        part, low, high = (100 * found[f"gap_closed{end}"] for end in ("", "_low", "_high"))
        return minus(f"{part:.0f} ({low:.0f} to {high:.0f})")

    trivial = ("none", "oracle_candidate")
    return _by_system(ablation, text, without=trivial) if _have(ablation, "gap_closed") else None


def _by_system(
    ablation: Ablation, text: Callable[[Numbers], str], without: Collection[str] = ()
) -> Table:
    columns = {
        label(system): {
            _name(backend, ablation): text(found[backend])
            for backend in ablation["choices"]
            if backend not in without
        }
        for system, found in ablation["systems"].items()
    }
    return Table(pd.DataFrame(columns))


def _have(ablation: Ablation, key: str) -> bool:
    return all(key in found for of in ablation["systems"].values() for found in of.values())


def _name(backend: str, ablation: Ablation) -> str:
    used = " (used)" if backend == ablation["used"] else ""
    return BACKENDS.get(backend, label(backend)) + used
