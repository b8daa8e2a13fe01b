"""Baselines that read names alone: equality of surface form and name, and the first retrieved candidate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from mmoe.evaluation.ranks import Ranks
from mmoe.names import normalise_name
from mmoe.records import Candidate, Entity, Mention


def exact_name(mentions: Sequence[Mention], entities: Sequence[Entity]) -> Ranks:
    """Ranks by equality of the normalised surface form and name; with two scores they need only counting.

    Args:
        mentions: each with its gold entity in the knowledge base.
        entities: the whole knowledge base.
    """
    name_of: dict[str | None, str] = {
        entity.qid: normalise_name(entity.name) for entity in entities
    }
    num_named = Counter(name_of.values())
    forms = [normalise_name(mention.surface_form) for mention in mentions]
    golds = [name_of[mention.gold_qid] for mention in mentions]
    equal = np.array([form == gold for form, gold in zip(forms, golds, strict=True)], dtype=bool)
    bearers = np.array([num_named[form] for form in forms], dtype=np.int64)
    return Ranks(
        pessimistic=np.where(equal, bearers, len(entities)),
        optimistic=np.where(equal, 1, 1 + bearers),
    )


def first_candidate(
    mentions: Sequence[Mention], candidates: Sequence[Candidate], entities: Sequence[Entity]
) -> Ranks:
    """Ranks by one answer: the first candidate that retrieval gives; all other entities tie behind it.

    Args:
        mentions: each with its gold entity in the knowledge base.
        candidates: of these and other mentions; those that are no entity of the knowledge base don't count.
        entities: the whole knowledge base.
    """
    known = {entity.qid for entity in entities}
    first: dict[str, str] = {}
    for candidate in sorted(candidates, key=lambda each: each.position):
        if candidate.qid in known:
            first.setdefault(candidate.mention_id, candidate.qid)
    answers = [first.get(mention.mention_id) for mention in mentions]
    right = np.array(
        [answer == mention.gold_qid for answer, mention in zip(answers, mentions, strict=True)],
        dtype=bool,
    )
    answered = np.array([answer is not None for answer in answers], dtype=np.int64)
    return Ranks(np.where(right, 1, len(entities)), np.where(right, 1, 1 + answered))
