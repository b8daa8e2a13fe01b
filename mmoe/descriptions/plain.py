"""The backends that read no text: no description, the first candidate's, and the data set's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mmoe.descriptions.choice import describe
from mmoe.errors import RankingError
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


class GivenDescription:
    """Takes the description that the data set itself gives, and chooses no candidate.

    Source: MMoE section 3.2 as its authors publish it, descriptions beside the mentions; by which
        candidate each was found is not published.
    """

    def rank(
        self, mentions: Sequence[Mention], candidates_by_mention: Mapping[str, Sequence[Candidate]]
    ) -> list[Description]:
        """One record a mention, without qid; without description where the data set has none.

        Raises:
            RankingError: if the data set has no description at all.
        """
        if mentions and all(mention.description is None for mention in mentions):
            raise RankingError(
                "rank.backend: the data set gives no mention a description, as `given` wants it; "
                "use none, first or lexical"
            )
        return [
            Description(
                mention_id=mention.mention_id,
                qid=None,
                description=mention.description,
                backend="given",
                score=None,
                num_candidates=len(candidates_by_mention.get(mention.mention_id, ())),
                is_gold=None,
            )
            for mention in mentions
        ]
