"""From candidates of mentions to description records, and from those to the texts that are encoded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from mmoe.errors import RankingError
from mmoe.records import Candidate, Description, Mention, TextInput

Mentions = Sequence[Mention]
Groups = Mapping[str, Sequence[Candidate]]  # candidates by mention_id, in retrieval's order
Asked = tuple[Mention, Sequence[Candidate]]  # a mention and its candidates
Scores = NDArray[np.floating]
TIE = 1e-9  # relative; equal sums may differ in their last bits


def group_candidates(
    mentions: Iterable[Mention], candidates: Iterable[Candidate]
) -> dict[str, list[Candidate]]:
    """The candidates by mention_id, in retrieval's order; RankingError if one is of no mention."""
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
    """The record of a choice; an empty description adds nothing and is written as None."""
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


def describe_each(
    mentions: Mentions,
    candidates_by_mention: Groups,
    backend: str,
    choose: Callable[[Mention, Sequence[Candidate]], Candidate | None],
) -> list[Description]:
    """One record a mention, from a rule that looks at one mention and its candidates; it has no score."""
    groups = [candidates_by_mention.get(mention.mention_id, ()) for mention in mentions]
    return [
        describe(mention, group, choose(mention, group) if group else None, backend)
        for mention, group in zip(mentions, groups, strict=True)
    ]


def describe_scored(
    mentions: Mentions,
    candidates_by_mention: Groups,
    backend: str,
    score: Callable[[Sequence[Asked]], Iterable[Scores | None]],
) -> list[Description]:
    """One record a mention: its candidate with the highest score, of equal ones the earlier.

    Args:
        score: scores the candidates of mentions that have at least two, or tells None where none is to be
            chosen; it is not called if there is no such mention. A single candidate needs no score.
    """
    groups = [candidates_by_mention.get(mention.mention_id, ()) for mention in mentions]
    asked = [pair for pair in zip(mentions, groups, strict=True) if len(pair[1]) > 1]
    scores = iter(score(asked) if asked else ())
    records = []
    for mention, group in zip(mentions, groups, strict=True):
        if len(group) < 2:
            record = describe(mention, group, group[0] if group else None, backend)
        elif (found := next(scores)) is None:
            record = describe(mention, group, None, backend)
        else:
            best = int(np.argmax(found >= found.max() - TIE * abs(found.max())))
            record = describe(mention, group, group[best], backend, float(found[best]))
        records.append(record)
    return records


def mention_texts(mentions: Mentions, descriptions: Iterable[Description]) -> list[TextInput]:
    """The text to encode for each mention, in the mentions' order; all need a description record."""
    text_of = {record.mention_id: record.description for record in descriptions}
    missing = [mention.mention_id for mention in mentions if mention.mention_id not in text_of]
    if missing:
        raise RankingError(
            f"mention {missing[0]!r} and {len(missing) - 1} others have no description record; "
            "run the stage rank again"
        )
    return [
        TextInput(m.mention_id, m.surface_form, m.context, text_of[m.mention_id]) for m in mentions
    ]
