"""How many candidates retrieval found, and how often the gold entity is among them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mmoe.names import normalise_name
from mmoe.records import SPLITS, Candidate, Mention
from mmoe.shares import share_of, share_with_interval

RECALL_AT = {"1": 1, "5": 5, "20": 20, "all": math.inf}
HISTOGRAM = ((0, 0), (1, 1), (2, 2), (3, 5), (6, 10), (11, 20), (21, 50), (51, math.inf))
MOST_AMBIGUOUS = 12

Counts = dict[str, int | float | None]
Qids = Mapping[str, Sequence[str]]


def retrieval_counts(
    mentions: Sequence[Mention], candidates: Iterable[Candidate]
) -> dict[str, Any]:
    """Counts over all mentions and over each split; shares lie in [0, 1], None over no mention.

    Returns:
        `all`, `train`, `valid`, `test`: counts and shares of mentions with none, one and several
        candidates; recall_at_n: share of the mentions with a gold qid whose gold is among the first n
        candidates, with `_low` and `_high`, Wilson's 95 % interval. `histogram`: mentions by number of
        candidates. `most_ambiguous`: the surface forms with most.
    """
    qids_by_mention: dict[str, list[str]] = {mention.mention_id: [] for mention in mentions}
    for candidate in sorted(candidates, key=lambda candidate: candidate.position):
        qids_by_mention[candidate.mention_id].append(candidate.qid)
    parts = {"all": list(mentions)} | {
        split: [mention for mention in mentions if mention.split == split] for split in SPLITS
    }
    counts: dict[str, Any] = {name: _counts(part, qids_by_mention) for name, part in parts.items()}
    return counts | {
        "histogram": _histogram(qids_by_mention),
        "most_ambiguous": _most_ambiguous(mentions, qids_by_mention),
    }


def _counts(mentions: Sequence[Mention], qids_by_mention: Qids) -> Counts:
    found = [qids_by_mention[mention.mention_id] for mention in mentions]
    none, one = sum(not qids for qids in found), sum(len(qids) == 1 for qids in found)
    by_number = {
        "without_candidate": none,
        "with_one_candidate": one,
        "with_several_candidates": len(found) - none - one,
    }
    places = [
        qids.index(mention.gold_qid) if mention.gold_qid in qids else math.inf
        for mention, qids in zip(mentions, found, strict=True)
        if mention.gold_qid is not None
    ]
    counts: Counts = {"mentions": len(found)}
    counts |= {f"mentions_{name}": number for name, number in by_number.items()}
    counts |= {f"share_{name}": share_of(number, len(found)) for name, number in by_number.items()}
    counts["mean_candidates"] = share_of(sum(map(len, found)), len(found))
    counts["mentions_with_gold"] = len(places)
    for name, n in RECALL_AT.items():
        reached = sum(place < n for place in places)
        counts |= share_with_interval(f"recall_at_{name}", reached, len(places))
    return counts


def _histogram(qids_by_mention: Qids) -> list[dict[str, Any]]:
    """Mentions by number of candidates, in buckets that widen; empty ones too."""
    sizes = Counter(len(qids) for qids in qids_by_mention.values())
    rows = []
    for first, last in HISTOGRAM:
        inside = sum(n for size, n in sizes.items() if first <= size <= last)
        several = f">{first - 1}" if last == math.inf else f"{first}–{last}"
        name = str(first) if first == last else several
        rows.append({"candidates": name, "mentions": inside})
    return rows


def _most_ambiguous(mentions: Sequence[Mention], qids_by_mention: Qids) -> list[dict[str, Any]]:
    """The surface forms with most candidates, in their normal form."""
    sizes = {normalise_name(m.surface_form): len(qids_by_mention[m.mention_id]) for m in mentions}
    uses = Counter(normalise_name(mention.surface_form) for mention in mentions)
    several = sorted(
        (form for form, size in sizes.items() if size > 1), key=lambda form: (-sizes[form], form)
    )
    return [
        {"surface_form": form, "candidates": sizes[form], "mentions": uses[form]}
        for form in several[:MOST_AMBIGUOUS]
    ]
