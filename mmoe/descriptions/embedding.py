"""Backend embedding: the candidate whose label and description lie nearest to the mention.

Source: none of the papers ranks so. It stands in for a language model where none is at hand: a frozen text
encoder that the pipeline loads anyway, and no cost.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from mmoe.descriptions.choice import Asked, Groups, Mentions, Scores, describe_scored
from mmoe.descriptions.registry import RankerResources
from mmoe.records import Description, TextInput
from mmoe.vectors import unit_rows


def rank(mentions: Mentions, groups: Groups, resources: RankerResources) -> list[Description]:
    """Scores each candidate, label and description, by its cosine with the mention, surface form and context.

    A mention with one candidate gets it without a score and is not embedded; among equal scores the
    earlier candidate wins. A second cosine, of surface form and label alone, made it worse: on RichpediaMEL's
    validation mentions with several candidates it favours the shortest label.
    """
    return describe_scored(mentions, groups, "embedding", partial(_scores, resources))


def _scores(resources: RankerResources, asked: Sequence[Asked]) -> list[Scores]:
    embed = resources.embedder()
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
