"""Description-aware mention enhancement: which candidate's description fits a mention's context.

Source: MMoE section 3.2. One module a backend; `make_ranker` names them.
"""

from mmoe.descriptions.backend import LOCAL, Ranker, RankerResources, make_ranker
from mmoe.descriptions.choice import group_candidates
from mmoe.descriptions.texts import ablation_texts, mention_texts

__all__ = [
    "LOCAL",
    "Ranker",
    "RankerResources",
    "ablation_texts",
    "group_candidates",
    "make_ranker",
    "mention_texts",
]
