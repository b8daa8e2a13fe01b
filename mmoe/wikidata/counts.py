"""How many candidates retrieval found, and how often the gold entity is among them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mmoe.records import SPLITS, Candidate, Mention

RECALL_AT = (1, 5, 20)

Counts = dict[str, int | float | None]


def retrieval_counts(
    mentions: Sequence[Mention], candidates: Iterable[Candidate]
) -> dict[str, Counts]:
    """Counts over all mentions and over each split; shares lie in [0, 1], null over no mention.

    recall_at_n: share of the mentions with a gold qid whose gold is among the first n candidates.
    """
    qids_by_mention: dict[str, list[str]] = {mention.mention_id: [] for mention in mentions}
    for candidate in sorted(candidates, key=lambda candidate: candidate.position):
        qids_by_mention[candidate.mention_id].append(candidate.qid)
    parts = {"all": list(mentions)} | {
        split: [mention for mention in mentions if mention.split == split] for split in SPLITS
    }
    return {name: _counts(part, qids_by_mention) for name, part in parts.items()}


def _counts(mentions: Sequence[Mention], qids_by_mention: dict[str, list[str]]) -> Counts:
    found = [qids_by_mention[mention.mention_id] for mention in mentions]
    none, one = sum(not qids for qids in found), sum(len(qids) == 1 for qids in found)
    several = len(found) - none - one
    places = [
        qids.index(mention.gold_qid) if mention.gold_qid in qids else None
        for mention, qids in zip(mentions, found, strict=True)
        if mention.gold_qid is not None
    ]
    reached = [place for place in places if place is not None]
    return {
        "mentions": len(found),
        "mentions_without_candidate": none,
        "mentions_with_one_candidate": one,
        "mentions_with_several_candidates": several,
        "share_without_candidate": _share(none, len(found)),
        "share_with_one_candidate": _share(one, len(found)),
        "share_with_several_candidates": _share(several, len(found)),
        "mean_candidates": _share(sum(map(len, found)), len(found)),
        "mentions_with_gold": len(places),
        **{
            f"recall_at_{n}": _share(sum(place < n for place in reached), len(places))
            for n in RECALL_AT
        },
        "recall_at_all": _share(len(reached), len(places)),
    }


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
