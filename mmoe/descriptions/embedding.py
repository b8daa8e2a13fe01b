"""Backend embedding: the candidate whose label and description lie nearest to the mention.

Source: none of the papers ranks so. It stands in for a language model where none is at hand: a frozen text
encoder that the pipeline loads anyway, and no cost.
"""

from __future__ import annotations

from collections.abc import Sequence

from mmoe.descriptions.choice import Asked, Groups, Scores, describe_scored
from mmoe.descriptions.registry import Ranker
from mmoe.records import Description, Mention, TextInput
from mmoe.vectors import unit_rows


class EmbeddingRanker(Ranker):
    """Scores each candidate, label and description, by its cosine with the mention, surface form and context.

    A mention with one candidate gets it without a score and is not embedded; among equal scores the
    earlier candidate wins. A second cosine, of surface form and label alone, made it worse: on RichpediaMEL's
    validation mentions with several candidates it favours the shortest label.
    """

    def rank(self, mentions: Sequence[Mention], candidates_by_mention: Groups) -> list[Description]:
        """One record a mention; the score is a cosine, in [-1, 1]."""
        return describe_scored(mentions, candidates_by_mention, "embedding", self._scores)

    def _scores(self, asked: Sequence[Asked]) -> list[Scores]:
        embed = self.resources.embedder()
        said = [TextInput(m.mention_id, m.surface_form, m.context, None) for m, _ in asked]
        # Equal candidates are embedded once.
        known = dict.fromkeys((c.label, c.description) for _, group in asked for c in group)
        places = {text: place for place, text in enumerate(known)}
        texts = [TextInput(str(place), *text, None) for text, place in places.items()]
        said_RP, known_CP = unit_rows(embed("mention", said)), unit_rows(embed("candidate", texts))
        return [
            known_CP[[places[c.label, c.description] for c in group]] @ said_P
            for (_, group), said_P in zip(asked, said_RP, strict=True)
        ]
