"""What a backend is, and how one is made by its name; their list is `mmoe.config.backends`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module

import numpy as np
from numpy.typing import NDArray

from mmoe.config.backends import LOCAL_BACKENDS
from mmoe.descriptions.choice import Groups
from mmoe.errors import RankingError
from mmoe.records import Description, Mention, TextInput

# A frozen text encoder: embeds texts, name and body together, as float [N, P] in their order. The first
# argument says what they are: "mention" (a long body is shortened around the name in it) or "candidate".
Embedder = Callable[[str, Sequence[TextInput]], NDArray[np.floating]]


def _no_encoder() -> Embedder:
    raise RankingError("rank.backend: this backend needs an encoder, and none was given")


@dataclass(frozen=True)
class RankerResources:
    """What single backends need beside mentions and candidates; loaded when one of them is made.

    Attributes:
        seed: of `random`.
        attributes: for `oracle_description`, the attributes of the knowledge base's entities by qid.
        embedder: for `embedding`.
    """

    seed: int = 0
    attributes: Callable[[], Mapping[str, str]] = dict
    embedder: Callable[[], Embedder] = _no_encoder


class Ranker(ABC):
    """Chooses one candidate, or none, for each mention."""

    def __init__(self, resources: RankerResources | None = None) -> None:
        self.resources = resources or RankerResources()

    @abstractmethod
    def rank(self, mentions: Sequence[Mention], candidates_by_mention: Groups) -> list[Description]:
        """One description record a mention, in the mentions' order.

        Args:
            candidates_by_mention: by mention_id, in retrieval's order; absent means no candidate.
        """


def make_ranker(backend: str, resources: RankerResources | None = None) -> Ranker:
    """The backend of that name, one of `LOCAL_BACKENDS`; its module is imported here, as some load much.

    Raises:
        RankingError: if there is no such backend.
    """
    if backend not in LOCAL_BACKENDS:
        known = ", ".join(LOCAL_BACKENDS)
        raise RankingError(f"rank.backend: no backend {backend!r}; use one of {known}")
    module, _, name = LOCAL_BACKENDS[backend].partition(":")
    ranker: Ranker = getattr(import_module(module), name)(resources)
    return ranker
