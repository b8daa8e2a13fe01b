"""Backend embedding: the candidate whose label and description lie nearest to the mention.

Source: none of the papers ranks so. It stands in for a language model where none is at hand: a frozen text
encoder that the pipeline loads anyway, and no cost.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mmoe.descriptions.choice import describe
from mmoe.descriptions.registry import Groups, Ranker
from mmoe.records import Candidate, Description, Mention, TextInput
from mmoe.vectors import unit_rows

BACKEND = "embedding"

Place = tuple[str, str]  # label and description of a candidate: equal ones are embedded once


class EmbeddingRanker(Ranker):
    """Scores each candidate, label and description, by its cosine with the mention, surface form and context.

    A mention with one candidate gets it without a score and is not embedded; among equal scores the
    earlier candidate wins. A second cosine, of surface form and label alone, made it worse: on RichpediaMEL's
    validation mentions with several candidates it favours the shortest label.
    """

    def rank(self, mentions: Sequence[Mention], candidates_by_mention: Groups) -> list[Description]:
        """One record a mention; the score is a cosine, in [-1, 1]."""
        groups = [candidates_by_mention.get(mention.mention_id, ()) for mention in mentions]
        scores = self._scores(mentions, groups)
        return [
            _describe(mention, group, scores.get(row))
            for row, (mention, group) in enumerate(zip(mentions, groups, strict=True))
        ]

    def _scores(
        self, mentions: Sequence[Mention], groups: Sequence[Sequence[Candidate]]
    ) -> dict[int, NDArray[np.float32]]:
        """The scores of each mention's candidates, by its row, where there are at least two."""
        rows = [row for row, group in enumerate(groups) if len(group) > 1]
        if not rows:
            return {}
        places: dict[Place, int] = {}
        for row in rows:
            for candidate in groups[row]:
                places.setdefault(_place(candidate), len(places))
        embed = self.resources.embedder()
        said_RP = unit_rows(embed("mention", [_text_of(mentions[row]) for row in rows]))
        known_CP = unit_rows(
            embed(
                "candidate",
                [TextInput(str(i), label, text, None) for (label, text), i in places.items()],
            )
        )
        return {
            row: known_CP[[places[_place(candidate)] for candidate in groups[row]]] @ said_P
            for row, said_P in zip(rows, said_RP, strict=True)
        }


def _describe(
    mention: Mention, group: Sequence[Candidate], scores: NDArray[np.float32] | None
) -> Description:
    if scores is None:
        return describe(mention, group, group[0] if group else None, BACKEND)
    best = int(scores.argmax())
    return describe(mention, group, group[best], BACKEND, float(scores[best]))


def _place(candidate: Candidate) -> Place:
    return candidate.label, candidate.description


def _text_of(mention: Mention) -> TextInput:
    return TextInput(mention.mention_id, mention.surface_form, mention.context, None)
