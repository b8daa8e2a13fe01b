"""The backends that read no text: no description, the first candidate's, and the data set's own."""

from __future__ import annotations

from collections.abc import Sequence

from mmoe.descriptions.choice import describe_each
from mmoe.descriptions.registry import Groups, Ranker
from mmoe.errors import RankingError
from mmoe.records import Description, Mention


class NoDescription(Ranker):
    """Chooses nothing: mentions as they stand in the data set (the papers' rows without DME)."""

    def rank(self, mentions: Sequence[Mention], candidates_by_mention: Groups) -> list[Description]:
        """One record a mention, without qid and description."""
        return describe_each(mentions, candidates_by_mention, "none", lambda *_: None)


class FirstCandidate(Ranker):
    """Chooses the candidate that retrieval puts first: the best known item of that name."""

    def rank(self, mentions: Sequence[Mention], candidates_by_mention: Groups) -> list[Description]:
        """One record a mention; it has no score."""
        return describe_each(mentions, candidates_by_mention, "first", lambda _, group: group[0])


class GivenDescription(Ranker):
    """Takes the description that the data set itself gives, and chooses no candidate.

    Source: MMoE section 3.2 as its authors publish it, descriptions beside the mentions; by which
        candidate each was found is not published.
    """

    def rank(self, mentions: Sequence[Mention], candidates_by_mention: Groups) -> list[Description]:
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
