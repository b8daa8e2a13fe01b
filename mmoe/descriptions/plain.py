"""The backends that read no text: the simplest ones, and those to measure others against."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mmoe.descriptions.choice import Groups, describe_each
from mmoe.descriptions.registry import Ranker
from mmoe.errors import RankingError
from mmoe.files import content_key
from mmoe.records import Candidate, Description, Mention


class NoDescription(Ranker):
    """Chooses nothing: mentions as they stand in the data set (the papers' rows without DME)."""

    def rank(self, mentions: Sequence[Mention], candidates_by_mention: Groups) -> list[Description]:
        return describe_each(mentions, candidates_by_mention, "none", lambda *_: None)


class FirstCandidate(Ranker):
    """Chooses the candidate that retrieval puts first: the best known item of that name."""

    def rank(self, mentions: Sequence[Mention], candidates_by_mention: Groups) -> list[Description]:
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
        records = describe_each(mentions, candidates_by_mention, "given", lambda *_: None)
        return [
            replace(record, description=mention.description)
            for record, mention in zip(records, mentions, strict=True)
        ]


class RandomCandidate(Ranker):
    """Chooses at random, by the seed and the mention's id alone: being right is worth more than this."""

    def rank(self, mentions: Sequence[Mention], candidates_by_mention: Groups) -> list[Description]:
        def drawn(mention: Mention, group: Sequence[Candidate]) -> Candidate:
            return group[int(content_key(self.resources.seed, mention.mention_id), 16) % len(group)]

        return describe_each(mentions, candidates_by_mention, "random", drawn)


class OracleCandidate(Ranker):
    """Chooses the gold entity where it is a candidate, else none: a bound, as no ranker has the answer."""

    def rank(self, mentions: Sequence[Mention], candidates_by_mention: Groups) -> list[Description]:
        def gold(mention: Mention, group: Sequence[Candidate]) -> Candidate | None:
            return next((one for one in group if one.qid == mention.gold_qid), None)

        return describe_each(mentions, candidates_by_mention, "oracle_candidate", gold)


class OracleDescription(Ranker):
    """Gives every mention the description of its gold entity, candidate or not, if there is one."""

    def rank(self, mentions: Sequence[Mention], candidates_by_mention: Groups) -> list[Description]:
        known = dict(self.resources.attributes()) | {
            candidate.qid: candidate.description
            for group in candidates_by_mention.values()
            for candidate in group
            if candidate.description.strip()
        }
        records = describe_each(
            mentions, candidates_by_mention, "oracle_description", lambda *_: None
        )
        return [
            replace(
                record,
                qid=mention.gold_qid,
                description=known.get(mention.gold_qid or "", "").strip() or None,
                is_gold=None if mention.gold_qid is None else True,
            )
            for record, mention in zip(records, mentions, strict=True)
        ]
