"""Description-aware mention enhancement: which candidate's description fits a mention's context.

Source: MMoE section 3.2. A backend is a function of one module and a line of `mmoe.config.backends`.
"""

from mmoe.descriptions.choice import group_candidates, mention_texts
from mmoe.descriptions.registry import Embedder, RankerResources, rank_mentions

__all__ = [
    "Embedder",
    "RankerResources",
    "group_candidates",
    "mention_texts",
    "rank_mentions",
]
