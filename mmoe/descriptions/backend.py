"""What a ranking backend is, and which there are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from mmoe.descriptions.embedding import Embedder, EmbeddingRanker
from mmoe.descriptions.oracle import GoldDescription, PerfectChoice, RandomCandidate
from mmoe.descriptions.plain import FirstCandidate, GivenDescription, NoDescription
from mmoe.errors import RankingError
from mmoe.records import Candidate, Description, Mention

CandidatesByMention = Mapping[str, Sequence[Candidate]]

# All that need no server.
LOCAL = (
    "none",
    "first",
    "lexical",
    "embedding",
    "given",
    "random",
    "oracle_candidate",
    "oracle_description",
)


class Ranker(Protocol):
    """Chooses one candidate, or none, for each mention."""

    def rank(
        self, mentions: Sequence[Mention], candidates_by_mention: CandidatesByMention
    ) -> list[Description]:
        """One description record a mention, in the mentions' order.

        Args:
            candidates_by_mention: by mention_id, in retrieval's order; absent means no candidate.
        """


@dataclass(frozen=True)
class RankerResources:
    """What single backends need beside mentions and candidates; loaded when one of them is made.

    Attributes:
        seed: of `random`.
        attributes: for `gold`, the attributes of the knowledge base's entities by qid.
        embedder: for `embedding`.
    """

    seed: int
    attributes: Callable[[], Mapping[str, str]]
    embedder: Callable[[], Embedder]


def make_ranker(backend: str, aids: RankerResources | None = None) -> Ranker:
    """The backend of that name, one of `LOCAL`.

    Args:
        aids: null only for the backends that need none of them.
    Raises:
        RankingError: if there is no such backend.
    """
    match backend:
        case "none":
            return NoDescription()
        case "first":
            return FirstCandidate()
        case "given":
            return GivenDescription()
        case "lexical":
            # Imported here: scipy and bm25s would double the start of the other backends.
            from mmoe.descriptions.lexical import Lexical

            return Lexical()
        case "oracle_candidate":
            return PerfectChoice()
        case "random" | "embedding" | "oracle_description":
            assert aids is not None
            return _with_resources(backend, aids)
    raise RankingError(f"rank.backend: no backend {backend!r}; use one of {', '.join(LOCAL)}")


def _with_resources(backend: str, aids: RankerResources) -> Ranker:
    if backend == "random":
        return RandomCandidate(aids.seed)
    if backend == "embedding":
        return EmbeddingRanker(aids.embedder())
    return GoldDescription(aids.attributes())
