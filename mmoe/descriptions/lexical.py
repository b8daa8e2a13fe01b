"""Backend lexical: the candidate whose label and description share most with the mention, by BM25."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from mmoe.bm25 import TextIndex, tokens_of
from mmoe.descriptions.choice import Asked, Groups, Mentions, Scores, describe_scored
from mmoe.descriptions.registry import RankerResources
from mmoe.records import Candidate, Description, Mention


def rank(mentions: Mentions, groups: Groups, _: RankerResources) -> list[Description]:
    """Scores context and surface form against label and description of each candidate.

    How rare a word is, is counted over all different candidate texts of the data set. A mention with
    one candidate gets it without a score; among equal scores the earlier candidate wins. Where the
    candidates share the very same words with the mention, nothing tells them apart, and none is chosen:
    BM25 would prefer the shortest, and a wrong description misleads the matcher more than none.

    Returns:
        One record a mention; the score is the BM25 sum of the chosen candidate.
    """
    # Of the whole data set, so that a choice does not depend on which mentions are ranked.
    texts = dict.fromkeys(_text(candidate) for group in groups.values() for candidate in group)
    return describe_scored(mentions, groups, "lexical", partial(_scores, list(texts)))


def _scores(texts: Sequence[str], asked: Sequence[Asked]) -> list[Scores | None]:
    """The scores of each mention's candidates, whose texts are among `texts`."""
    places = {text: place for place, text in enumerate(texts)}
    sizes = [len(group) for _, group in asked]
    scores = TextIndex(texts).pair_scores(
        queries=[f"{mention.context} {mention.surface_form}" for mention, _ in asked],
        query_of_pair=np.repeat(np.arange(len(asked)), sizes),
        document_of_pair=np.array([places[_text(c)] for _, group in asked for c in group]),
    )
    return [
        of_group if len({_shared_words(mention, candidate) for candidate in group}) > 1 else None
        for (mention, group), of_group in zip(
            asked, np.split(scores, np.cumsum(sizes)[:-1]), strict=True
        )
    ]


def _shared_words(mention: Mention, candidate: Candidate) -> frozenset[str]:
    said = tokens_of(f"{mention.context} {mention.surface_form}")
    return frozenset(said) & frozenset(tokens_of(_text(candidate)))


def _text(candidate: Candidate) -> str:
    return f"{candidate.label} {candidate.description}"
