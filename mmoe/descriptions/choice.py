"""A chosen candidate as a description record, and candidates grouped by mention."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mmoe.errors import RankingError
from mmoe.records import Candidate, Description, Mention


def group_candidates(
    mentions: Iterable[Mention], candidates: Iterable[Candidate]
) -> dict[str, list[Candidate]]:
    """The candidates of every mention by mention_id, in retrieval's order.

    Raises:
        RankingError: if a candidate belongs to no mention.
    """
    groups: dict[str, list[Candidate]] = {mention.mention_id: [] for mention in mentions}
    for candidate in candidates:
        if candidate.mention_id not in groups:
            raise RankingError(
                f"candidate {candidate.qid} is of mention {candidate.mention_id!r}, which is not in "
                "the data set; run the stage retrieve again"
            )
        groups[candidate.mention_id].append(candidate)
    for group in groups.values():
        group.sort(key=lambda candidate: candidate.position)
    return groups


def describe(
    mention: Mention,
    candidates: Sequence[Candidate],
    chosen: Candidate | None,
    backend: str,
    score: float | None = None,
) -> Description:
    """The record of a choice; an empty description adds nothing and is written as null."""
    is_gold = None if chosen is None or mention.gold_qid is None else chosen.qid == mention.gold_qid
    return Description(
        mention_id=mention.mention_id,
        qid=None if chosen is None else chosen.qid,
        description=None if chosen is None else chosen.description.strip() or None,
        backend=backend,
        score=score,
        num_candidates=len(candidates),
        is_gold=is_gold,
    )
