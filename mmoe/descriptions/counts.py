"""How often ranking chose a candidate, and how often it was the gold entity: one backend, or several."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from mmoe.descriptions.choice import Groups, Mentions
from mmoe.records import SPLITS, WITHOUT_CHOICE, Description, Mention
from mmoe.shares import share_with_interval

# Bounds of num_candidates; 0 and 1 stand apart, for there nothing is ranked.
BY_CANDIDATES = {"0": (0, 0), "1": (1, 1), "2-5": (2, 5), "6-20": (6, 20), "21+": (21, 10**9)}

Row = tuple[Mention, Description, bool]  # the last: whether the gold entity is a candidate


def ranking_counts(
    mentions: Mentions, descriptions: Sequence[Description], candidates_by_mention: Groups
) -> dict[str, dict[str, object]]:
    """Counts over all mentions and over each split; shares lie in [0, 1], None over no mention and for a
    backend that chooses no candidate.

    share_right: of the mentions with a gold qid, those for which the gold entity was chosen;
    share_right_where_possible: of those whose gold entity is a candidate.

    Args:
        descriptions: one for each mention, in the same order.
    """
    rows = []
    for mention, description in zip(mentions, descriptions, strict=True):
        group = candidates_by_mention.get(mention.mention_id, ())
        rows.append((mention, description, any(one.qid == mention.gold_qid for one in group)))
    parts = {split: [row for row in rows if row[0].split == split] for split in SPLITS}
    return {
        name: {
            **_counts(part),
            "by_candidates": {
                size: _counts([row for row in part if low <= row[1].num_candidates <= high])
                for size, (low, high) in BY_CANDIDATES.items()
            },
        }
        for name, part in {"all": rows, **parts}.items()
    }


def _counts(rows: Sequence[Row]) -> dict[str, object]:
    with_gold = sum(mention.gold_qid is not None for mention, _, _ in rows)
    possible = sum(has_gold for _, _, has_gold in rows)
    right = sum(description.is_gold is True for _, description, _ in rows)
    choosing = any(description.backend not in WITHOUT_CHOICE for _, description, _ in rows)
    return {
        "mentions": len(rows),
        "chosen": sum(description.qid is not None for _, description, _ in rows),
        "described": sum(description.description is not None for _, description, _ in rows),
        "with_gold": with_gold,
        "with_gold_candidate": possible,
        "right": right,
        "share_right": right / with_gold if with_gold and choosing else None,
        "share_right_where_possible": right / possible if possible and choosing else None,
    }


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
