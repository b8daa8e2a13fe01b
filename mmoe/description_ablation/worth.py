"""How often each backend chose right, and what its descriptions gain over none, system by system."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from mmoe.description_ablation.texts import ChoiceTexts
from mmoe.evaluation.estimates import paired_gain, part_of_gain
from mmoe.evaluation.metrics import system_metrics
from mmoe.evaluation.ranks import Ranks
from mmoe.records import WITHOUT_CHOICE, Description
from mmoe.shares import share_with_interval

NONE, ORACLE = "none", "oracle_candidate"
HITS_AT = (1,)
GAP = ("gap_closed", "gap_closed_low", "gap_closed_high")

Choices = Mapping[str, Sequence[Description]]  # by backend, every one over the same mentions


def by_backend(records: Sequence[Description]) -> dict[str, list[Description]]:
    """The choices of each backend, the one of the run first."""
    found: dict[str, list[Description]] = {}
    for record in records:
        found.setdefault(record.backend, []).append(record)
    return found


def accuracies(choices: Choices, with_gold: Collection[str]) -> dict[str, dict[str, Any]]:
    """How often each backend chose the gold entity, with Wilson's 95 % intervals; shares lie in [0, 1].

    Backends that choose no candidate have no share.

    Args:
        with_gold: mention_ids whose gold entity is among their candidates.
    Returns:
        For each backend: `chosen`, `described`, `right`; `share_right` of all mentions,
        `share_right_where_possible` of those in `with_gold`, `share_right_of_several` of those that have
        other candidates too, each with `_low` and `_high`.
    """
    return {name: _accuracy(records, with_gold) for name, records in choices.items()}


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


def gains(
    choices: Choices, texts: ChoiceTexts, ranks_by_system: Mapping[str, Ranks], samples: int
) -> dict[str, dict[str, dict[str, float | None]]]:
    """What each system ranks with the descriptions of each backend.

    Args:
        ranks_by_system: of all texts, in their order.
        samples: of the bootstrap.
    Returns:
        By system and backend: metrics with intervals; where `none` is among the backends, also the gain
        over it (`gain_mrr`, paired), and where `oracle_candidate` is too, `gap_closed`: the part of its gain
        that the backend reaches, with its interval; None where that gains nothing.
    """
    return {
        system: _system(choices, texts, ranks, samples) for system, ranks in ranks_by_system.items()
    }


def _system(
    choices: Choices, texts: ChoiceTexts, ranks: Ranks, samples: int
) -> dict[str, dict[str, float | None]]:
    found = {name: texts.ranks_of(records, ranks) for name, records in choices.items()}
    table: dict[str, dict[str, float | None]] = {}
    for name, own in found.items():
        table[name] = dict(system_metrics(own, HITS_AT, samples).flat())
        if NONE in found:
            table[name] |= paired_gain(own, found[NONE], samples).flat("gain_mrr")
    if NONE in found and ORACLE in found:
        for name, row in table.items():
            part = part_of_gain(found[name], found[NONE], found[ORACLE], samples)
            row |= dict.fromkeys(GAP) if part is None else part.flat("gap_closed")
    return table
