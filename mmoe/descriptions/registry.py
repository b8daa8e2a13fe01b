"""How a backend is found by its name, and what it may need; their list is `mmoe.config.backends`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module

import numpy as np
from numpy.typing import NDArray

from mmoe.bm25 import TextStatistics
from mmoe.config.backends import LOCAL_BACKENDS
from mmoe.descriptions.choice import Groups, Mentions
from mmoe.errors import RankingError
from mmoe.records import Description, TextInput

# A frozen text encoder: embeds texts, name and body together, as float [N, P] in their order. The first
# argument says what they are: "mention" (a long body is shortened around the name in it) or "candidate".
Embedder = Callable[[str, Sequence[TextInput]], NDArray[np.floating]]


def _no_encoder() -> Embedder:
    raise RankingError("rank.backend: this backend needs an encoder, and none was given")


@dataclass(frozen=True)
class RankerResources:
    """What single backends need beside mentions and candidates, loaded when one asks for it: the seed of
    `random`, the attributes of the knowledge base's entities by qid of `oracle_description`, an embedder, and
    the statistics by which `lexical` scores mentions of no data set.
    """

    seed: int = 0
    attributes: Callable[[], Mapping[str, str]] = dict
    embedder: Callable[[], Embedder] = _no_encoder
    statistics: TextStatistics | None = None


NO_RESOURCES = RankerResources()


def rank_mentions(
    backend: str,
    mentions: Mentions,
    candidates_by_mention: Groups,
    resources: RankerResources = NO_RESOURCES,
) -> list[Description]:
    """One description record a mention, in their order, by a backend of `LOCAL_BACKENDS`, imported here.

    Raises:
        RankingError: if there is no such backend, or it lacks what it needs.
    """
    if backend not in LOCAL_BACKENDS:
        known = ", ".join(LOCAL_BACKENDS)
        raise RankingError(f"rank.backend: no backend {backend!r}; use one of {known}")
    module, _, name = LOCAL_BACKENDS[backend].partition(":")
    rank: Callable[[Mentions, Groups, RankerResources], list[Description]]
    rank = getattr(import_module(module), name)
    return rank(mentions, candidates_by_mention, resources)
