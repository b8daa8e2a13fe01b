"""What a ranking backend is, and which there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from mmoe.errors import RankingError
from mmoe.ranking.plain import FirstCandidate, GivenDescription, NoDescription
from mmoe.records import Candidate, Description, Mention

CandidatesByMention = Mapping[str, Sequence[Candidate]]


class Ranker(Protocol):
    """Chooses one candidate, or none, for each mention."""

    def rank(
        self, mentions: Sequence[Mention], candidates_by_mention: CandidatesByMention
    ) -> list[Description]:
        """One description record a mention, in the mentions' order.

        Args:
            candidates_by_mention: by mention_id, in retrieval's order; absent means no candidate.
        """


def make_ranker(backend: str) -> Ranker:
    """The backend of that name: none, first, lexical or given.

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
            from mmoe.ranking.lexical import Lexical

            return Lexical()
    raise RankingError(f"rank.backend: no backend {backend!r}; use none, first, lexical or given")
