"""Description-aware mention enhancement: which candidate's description fits a mention's context.

Source: MMoE section 3.2. A backend is a class of one module and a line of `mmoe.config.backends`.
"""

from mmoe.descriptions.choice import ablation_texts, group_candidates, mention_texts
from mmoe.descriptions.registry import Embedder, Ranker, RankerResources, make_ranker

__all__ = [
    "Embedder",
    "Ranker",
    "RankerResources",
    "ablation_texts",
    "group_candidates",
    "make_ranker",
    "mention_texts",
]
