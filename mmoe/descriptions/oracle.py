"""Backends to measure others against: a random choice, and two that read the answer.

What the latter two reach is a bound, not a result: no system has the answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mmoe.descriptions.choice import describe_each
from mmoe.descriptions.registry import Groups, Ranker
from mmoe.files import content_key
from mmoe.records import Candidate, Description, Mention


class RandomCandidate(Ranker):
    """Chooses at random: what being right is worth must be more than this.

    The choice depends on the seed and the mention's id alone, not on the other mentions.
    """

    def rank(self, mentions: Sequence[Mention], candidates_by_mention: Groups) -> list[Description]:
        """One record a mention; it has no score."""

        def drawn(mention: Mention, group: Sequence[Candidate]) -> Candidate:
            return group[int(content_key(self.resources.seed, mention.mention_id), 16) % len(group)]

        return describe_each(mentions, candidates_by_mention, "random", drawn)


class OracleCandidate(Ranker):
    """Chooses the gold entity where it is a candidate, else none: no ranker can do better."""

    def rank(self, mentions: Sequence[Mention], candidates_by_mention: Groups) -> list[Description]:
        """One record a mention; it has no score."""

        def gold(mention: Mention, group: Sequence[Candidate]) -> Candidate | None:
            return next((one for one in group if one.qid == mention.gold_qid), None)

        return describe_each(mentions, candidates_by_mention, "oracle_candidate", gold)


class OracleDescription(Ranker):
    """Gives every mention the description of its gold entity, candidate or not."""

    def rank(self, mentions: Sequence[Mention], candidates_by_mention: Groups) -> list[Description]:
        """One record a mention; without a description where nothing is known of the gold entity."""
        known = dict(self.resources.attributes()) | {
            candidate.qid: candidate.description
            for group in candidates_by_mention.values()
            for candidate in group
            if candidate.description.strip()
        }
        return [
            _describe(mention, candidates_by_mention.get(mention.mention_id, ()), known)
            for mention in mentions
        ]


def _describe(
    mention: Mention, group: Sequence[Candidate], known: Mapping[str, str]
) -> Description:
    return Description(
        mention_id=mention.mention_id,
        qid=mention.gold_qid,
        description=known.get(mention.gold_qid or "", "").strip() or None,
        backend="oracle_description",
        score=None,
        num_candidates=len(group),
        is_gold=None if mention.gold_qid is None else True,
    )
