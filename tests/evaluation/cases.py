"""Ranks and records that tests of metrics share."""

from __future__ import annotations

import numpy as np

from mmoe.evaluation.ranks import Ranks
from mmoe.records import Leak, Mention


def ranks_of(pessimistic: list[int], optimistic: list[int] | None = None) -> Ranks:
    """Ranks from plain lists; without ties both kinds are the same."""
    return Ranks(
        pessimistic=np.array(pessimistic, dtype=np.int64),
        optimistic=np.array(pessimistic if optimistic is None else optimistic, dtype=np.int64),
    )


def geometric_ranks(num: int, seed: int, right: float = 0.6) -> Ranks:
    """Ranks of a made-up system that puts the gold entity first in a share `right` of cases."""
    drawn = np.random.default_rng(seed).geometric(right, size=num)
    return Ranks(pessimistic=drawn, optimistic=drawn)


def mention(name: str, evidence: str | None = None, split: str = "test") -> Mention:
    return Mention(name, "s", "form", "context", None, "Q1", True, split, None, evidence)


def leak(name: str, *, context: bool = False, gold: bool = False, own: bool = False) -> Leak:
    return Leak(name, "test", context, False, False, gold, own, False)
