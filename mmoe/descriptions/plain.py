"""The backends that read no text: the simplest ones, and those to measure others against."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mmoe.descriptions.choice import Groups, Mentions, describe_each
from mmoe.descriptions.registry import RankerResources
from mmoe.errors import RankingError
from mmoe.files import content_key
from mmoe.records import Candidate, Description, Mention


def none(mentions: Mentions, groups: Groups, _: RankerResources) -> list[Description]:
    """Chooses nothing: mentions as they stand in the data set (the papers' rows without DME)."""
    return describe_each(mentions, groups, "none", lambda *_: None)


def first(mentions: Mentions, groups: Groups, _: RankerResources) -> list[Description]:
    """Chooses the candidate that retrieval puts first: the best known item of that name."""
    return describe_each(mentions, groups, "first", lambda _, group: group[0])


def given(mentions: Mentions, groups: Groups, _: RankerResources) -> list[Description]:
    """Takes the description that the data set itself gives, if any, and chooses no candidate.

    Raises:
        RankingError: if the data set has no description at all.
    Source: MMoE section 3.2 as its authors publish it, descriptions beside the mentions; by which
        candidate each was found is not published.
    """
    if mentions and all(mention.description is None for mention in mentions):
        raise RankingError(
            "rank.backend: the data set gives no mention a description, as `given` wants it; "
            "use none, first or lexical"
        )
    records = describe_each(mentions, groups, "given", lambda *_: None)
    return [
        replace(record, description=mention.description)
        for record, mention in zip(records, mentions, strict=True)
    ]


def random(mentions: Mentions, groups: Groups, resources: RankerResources) -> list[Description]:
    """Chooses at random, by the seed and the mention's id alone: being right is worth more than this."""

    def drawn(mention: Mention, group: Sequence[Candidate]) -> Candidate:
        return group[int(content_key(resources.seed, mention.mention_id), 16) % len(group)]

    return describe_each(mentions, groups, "random", drawn)


def oracle_candidate(mentions: Mentions, groups: Groups, _: RankerResources) -> list[Description]:
    """Chooses the gold entity where it is a candidate, else none: a bound, as no ranker has the answer."""

    def gold(mention: Mention, group: Sequence[Candidate]) -> Candidate | None:
        return next((one for one in group if one.qid == mention.gold_qid), None)

    return describe_each(mentions, groups, "oracle_candidate", gold)


def oracle_description(
    mentions: Mentions, groups: Groups, resources: RankerResources
) -> list[Description]:
    """Gives every mention the description of its gold entity, candidate or not, if there is one."""
    known = dict(resources.attributes()) | {
        candidate.qid: candidate.description
        for group in groups.values()
        for candidate in group
        if candidate.description.strip()
    }
    records = describe_each(mentions, groups, "oracle_description", lambda *_: None)
    return [
        replace(
            record,
            qid=mention.gold_qid,
            description=known.get(mention.gold_qid or "", "").strip() or None,
            is_gold=None if mention.gold_qid is None else True,
        )
        for record, mention in zip(records, mentions, strict=True)
    ]
