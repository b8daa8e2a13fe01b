"""The backends that read no text: no description at all, and the first candidate's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mmoe.ranking.choice import describe
from mmoe.records import Candidate, Description, Mention


class NoDescription:
    """Chooses nothing: mentions as they stand in the data set (the papers' rows without DME)."""

    def rank(
        self, mentions: Sequence[Mention], candidates_by_mention: Mapping[str, Sequence[Candidate]]
    ) -> list[Description]:
        """One record a mention, without qid and description."""
        return [
            describe(mention, candidates_by_mention.get(mention.mention_id, ()), None, "none")
            for mention in mentions
        ]


class FirstCandidate:
    """Chooses the candidate that retrieval puts first: the best known item of that name."""

    def rank(
        self, mentions: Sequence[Mention], candidates_by_mention: Mapping[str, Sequence[Candidate]]
    ) -> list[Description]:
        """One record a mention; it has no score."""
        groups = [candidates_by_mention.get(mention.mention_id, ()) for mention in mentions]
        return [
            describe(mention, group, group[0] if group else None, "first")
            for mention, group in zip(mentions, groups, strict=True)
        ]
