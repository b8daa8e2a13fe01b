"""How often each backend chose the gold entity."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from mmoe.records import WITHOUT_CHOICE, Description
from mmoe.shares import share_with_interval


def accuracies(
    choices: Sequence[Description], with_gold: Collection[str]
) -> dict[str, dict[str, Any]]:
    """How often each backend chose the gold entity, with Wilson's 95 % intervals; shares lie in [0, 1].

    Backends that choose no candidate have no share.

    Args:
        choices: of all backends, in the order in which they are shown.
        with_gold: mention_ids whose gold entity is among their candidates.
    Returns:
        For each backend: `chosen`, `described`, `right`; `share_right` of all mentions,
        `share_right_where_possible` of those in `with_gold`, `share_right_of_several` of those that have
        other candidates too, each with `_low` and `_high`.
    """
    by_backend: dict[str, list[Description]] = {}
    for choice in choices:
        by_backend.setdefault(choice.backend, []).append(choice)
    return {name: _accuracy(records, with_gold) for name, records in by_backend.items()}


def _accuracy(records: Sequence[Description], with_gold: Collection[str]) -> dict[str, Any]:
    possible = [record for record in records if record.mention_id in with_gold]
    several = [record for record in possible if record.num_candidates > 1]
    chooses = not any(record.backend in WITHOUT_CHOICE for record in records)
    shares: dict[str, float | None] = {}
    for name, part in (("", records), ("_where_possible", possible), ("_of_several", several)):
        right = sum(record.is_gold is True for record in part)
        shares |= share_with_interval(f"share_right{name}", right, len(part) if chooses else 0)
    return {
        "chosen": sum(record.qid is not None for record in records),
        "described": sum(record.description is not None for record in records),
        "right": sum(record.is_gold is True for record in records),
        **shares,
    }
