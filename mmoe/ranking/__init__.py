"""Description-aware mention enhancement: which candidate's description fits a mention's context.

Source: MMoE section 3.2. One module a backend; `make_ranker` names them.
"""

from mmoe.ranking.backend import LOCAL, Aids, Ranker, make_ranker
from mmoe.ranking.choice import group_candidates
from mmoe.ranking.texts import choice_texts, mention_texts

__all__ = [
    "LOCAL",
    "Aids",
    "Ranker",
    "choice_texts",
    "group_candidates",
    "make_ranker",
    "mention_texts",
]
