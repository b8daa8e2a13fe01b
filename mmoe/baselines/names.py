"""Baseline exact name: an entity scores 1 if its name is the mention's surface form, else 0."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from mmoe.evaluation.ranks import Ranks
from mmoe.names import normalise_name
from mmoe.records import Entity, Mention


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
