"""Backends to measure others against: a choice by lot, and two that read the answer.

What the latter two reach is a bound, not a result: no system has the answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mmoe.descriptions.choice import describe
from mmoe.files import content_key
from mmoe.records import Candidate, Description, Mention

Groups = Mapping[str, Sequence[Candidate]]


@dataclass(frozen=True)
class RandomCandidate:
    """Chooses by lot: what being right is worth must be more than this.

    Args:
        seed: of the lots; a mention's lot hangs on its id alone, not on the other mentions.
    """

    seed: int

    def rank(self, mentions: Sequence[Mention], candidates_by_mention: Groups) -> list[Description]:
        """One record a mention; it has no score."""
        records = []
        for mention in mentions:
            group = candidates_by_mention.get(mention.mention_id, ())
            lot = int(content_key(self.seed, mention.mention_id), 16)
            chosen = group[lot % len(group)] if group else None
            records.append(describe(mention, group, chosen, "random"))
        return records


class PerfectChoice:
    """Chooses the gold entity where it is a candidate, else none: no ranker can do better."""

    def rank(self, mentions: Sequence[Mention], candidates_by_mention: Groups) -> list[Description]:
        """One record a mention; it has no score."""
        groups = [candidates_by_mention.get(mention.mention_id, ()) for mention in mentions]
        return [
            describe(mention, group, _gold_in(group, mention), "oracle_candidate")
            for mention, group in zip(mentions, groups, strict=True)
        ]


@dataclass(frozen=True)
class GoldDescription:
    """Gives every mention the description of its gold entity, candidate or not.

    Args:
        attributes: of the knowledge base's entities by qid, for golds that are nobody's candidate.
    """

    attributes: Mapping[str, str]

    def rank(self, mentions: Sequence[Mention], candidates_by_mention: Groups) -> list[Description]:
        """One record a mention; without a description where nothing is known of the gold entity."""
        known = dict(self.attributes) | {
            candidate.qid: candidate.description
            for group in candidates_by_mention.values()
            for candidate in group
            if candidate.description.strip()
        }
        return [
            self._describe(mention, candidates_by_mention.get(mention.mention_id, ()), known)
            for mention in mentions
        ]

    def _describe(
        self, mention: Mention, group: Sequence[Candidate], known: Mapping[str, str]
    ) -> Description:
        text = known.get(mention.gold_qid or "", "").strip() or None
        return Description(
            mention_id=mention.mention_id,
            qid=mention.gold_qid,
            description=text,
            backend="oracle_description",
            score=None,
            num_candidates=len(group),
            is_gold=None if mention.gold_qid is None else True,
        )


def _gold_in(group: Sequence[Candidate], mention: Mention) -> Candidate | None:
    return next((candidate for candidate in group if candidate.qid == mention.gold_qid), None)
