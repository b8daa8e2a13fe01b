"""Backend lexical: the candidate whose label and description share most with the mention, by BM25."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from mmoe.bm25 import TextIndex, tokens_of
from mmoe.descriptions.choice import describe
from mmoe.descriptions.registry import Groups, Ranker
from mmoe.records import Candidate, Description, Mention

TIE = 1e-9  # relative; equal sums may differ in their last bits


class Lexical(Ranker):
    """Scores context and surface form against label and description of each candidate.

    How rare a word is, is counted over all different candidate texts of the data set. A mention with
    one candidate gets it without a score; among equal scores the earlier candidate wins. Where the
    candidates share the very same words with the mention, nothing tells them apart, and none is chosen:
    BM25 would prefer the shortest, and a wrong description misleads the matcher more than none.
    """

    def rank(self, mentions: Sequence[Mention], candidates_by_mention: Groups) -> list[Description]:
        """One record a mention; the score is the BM25 sum of the chosen candidate."""
        groups = [candidates_by_mention.get(mention.mention_id, ()) for mention in mentions]
        scores = _scores(mentions, groups, candidates_by_mention.values())
        return [
            _describe(mention, group, scores.get(row))
            for row, (mention, group) in enumerate(zip(mentions, groups, strict=True))
        ]


def _scores(
    mentions: Sequence[Mention],
    groups: Sequence[Sequence[Candidate]],
    all_groups: Iterable[Sequence[Candidate]],
) -> dict[int, NDArray[np.float64]]:
    """The scores of each mention's candidates, by its row, where there are at least two.

    Args:
        all_groups: of the whole data set, so that a choice does not depend on which mentions are ranked.
    """
    rows = [row for row, group in enumerate(groups) if len(group) > 1]
    if not rows:
        return {}
    places: dict[str, int] = {}
    for group in all_groups:
        for candidate in group:
            places.setdefault(_text(candidate), len(places))
    sizes = np.array([len(groups[row]) for row in rows])
    scores = TextIndex(list(places)).pair_scores(
        queries=[f"{mentions[row].context} {mentions[row].surface_form}" for row in rows],
        query_of_pair=np.repeat(np.arange(len(rows)), sizes),
        document_of_pair=np.array([places[_text(c)] for row in rows for c in groups[row]]),
    )
    return dict(zip(rows, np.split(scores, np.cumsum(sizes)[:-1]), strict=True))


def _describe(
    mention: Mention, group: Sequence[Candidate], scores: NDArray[np.float64] | None
) -> Description:
    if scores is None:
        return describe(mention, group, group[0] if group else None, "lexical")
    if len({_shared_words(mention, candidate) for candidate in group}) == 1:
        return describe(mention, group, None, "lexical")
    best = int(np.argmax(scores >= scores.max() * (1 - TIE)))
    return describe(mention, group, group[best], "lexical", float(scores[best]))


def _shared_words(mention: Mention, candidate: Candidate) -> frozenset[str]:
    said = tokens_of(f"{mention.context} {mention.surface_form}")
    return frozenset(said) & frozenset(tokens_of(_text(candidate)))


def _text(candidate: Candidate) -> str:
    return f"{candidate.label} {candidate.description}"
