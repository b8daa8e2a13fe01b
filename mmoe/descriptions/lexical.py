"""Backend lexical: the candidate whose label and description share most with the mention, by BM25."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from mmoe.bm25 import TextStatistics, tokens_of
from mmoe.descriptions.choice import Asked, Groups, Mentions, Scores, describe_scored
from mmoe.descriptions.registry import RankerResources
from mmoe.records import Candidate, Description, Mention


def rank(mentions: Mentions, groups: Groups, resources: RankerResources) -> list[Description]:
    """Scores context and surface form against label and description of each candidate.

    How rare a word is, is counted over all different candidate texts of the data set, or as
    `RankerResources.statistics` has it. A mention with one candidate gets it without a score; among equal
    scores the earlier candidate wins. Where the candidates share the very same words with the mention,
    nothing tells them apart, and none is chosen: BM25 would prefer the shortest, and a wrong description
    misleads the matcher more than none.

    Returns:
        One record a mention; the score is the BM25 sum of the chosen candidate.
    """
    # Of the whole data set, so that a choice does not depend on which mentions are ranked.
    known = resources.statistics or TextStatistics.of(candidate_texts(groups))
    return describe_scored(mentions, groups, "lexical", partial(_scores, known))


def candidate_texts(groups: Groups) -> list[str]:
    """The different texts of all candidates."""
    return list(dict.fromkeys(_text(candidate) for group in groups.values() for candidate in group))


def _scores(known: TextStatistics, asked: Sequence[Asked]) -> list[Scores | None]:
    """The scores of each mention's candidates; None where nothing tells them apart."""
    return [
        known.scores(_query(mention), [_text(candidate) for candidate in group])
        if _differ(mention, group)
        else None
        for mention, group in asked
    ]


def _differ(mention: Mention, group: Sequence[Candidate]) -> bool:
    """Whether the candidates share different words with the mention."""
    said = frozenset(tokens_of(_query(mention)))
    return len({said & frozenset(tokens_of(_text(candidate))) for candidate in group}) > 1


def _query(mention: Mention) -> str:
    return f"{mention.context} {mention.surface_form}"


def _text(candidate: Candidate) -> str:
    return f"{candidate.label} {candidate.description}"
