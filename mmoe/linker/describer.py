"""Descriptions for mentions of one's own: candidates by name, and one of them chosen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmoe.bm25 import TextStatistics
from mmoe.config.backends import LANGUAGE_MODEL
from mmoe.config.llm import LlmParams
from mmoe.config.rank import RankParams
from mmoe.config.retrieve import RetrieveParams
from mmoe.descriptions import Embedder, RankerResources, group_candidates, rank_mentions
from mmoe.descriptions.choice import Groups, Mentions
from mmoe.errors import LinkingError
from mmoe.linker.queries import QueryEncoder
from mmoe.records import READS_ANSWER, Candidate, Description, Mention, TextInput
from mmoe.wikidata.matching import Matching
from mmoe.wikidata.name_table import NameTable

# Backends that need nothing of a data set; of the others there is none to choose with.
NOTHING_TO_CHOOSE = ("none", "given")


@dataclass(frozen=True)
class Described:
    """What is known of some mentions before they are encoded.

    Attributes:
        candidates: of all of them.
        chosen: one record a mention.
    """

    candidates: Sequence[Candidate]
    chosen: Sequence[Description]


@dataclass(frozen=True)
class Describer:
    """Retrieves candidates and chooses a description.

    Attributes:
        names: that candidates bear.
        rank: one record a mention.
    """

    names: NameTable
    matching: Matching
    rank: Callable[[Mentions, Groups], list[Description]]

    def describe(self, mentions: Sequence[Mention]) -> Described:
        """The candidates of some mentions and what was chosen among them."""
        candidates = self.names.find(mentions, self.matching)
        return Described(candidates, self.rank(mentions, group_candidates(mentions, candidates)))


def make_describer(
    names: NameTable,
    retrieve: RetrieveParams,
    rank: RankParams,
    encoder: QueryEncoder,
    statistics: TextStatistics | None,
) -> Describer:
    """A describer that chooses as stage rank did.

    Args:
        statistics: of the candidates' texts there, for backend lexical.
    Raises:
        LinkingError: if rank.backend reads the answer, which nobody knows here.
    """
    if rank.backend in READS_ANSWER:
        raise LinkingError(
            f"rank.backend = {rank.backend} reads the answer; train with a backend that does not"
        )
    matching = Matching(retrieve.match, retrieve.strip_suffix, retrieve.max_candidates)
    if rank.backend == LANGUAGE_MODEL:
        return Describer(names, matching, _language_model(rank))
    resources = RankerResources(
        seed=rank.seed, embedder=lambda: _embedder(encoder, rank.encoder), statistics=statistics
    )
    backend = "none" if rank.backend in NOTHING_TO_CHOOSE else rank.backend

    def choose(mentions: Mentions, groups: Groups) -> list[Description]:
        return rank_mentions(backend, mentions, groups, resources)

    return Describer(names, matching, choose)


def _language_model(rank: RankParams) -> Callable[[Mentions, Groups], list[Description]]:
    from mmoe.descriptions.llm import LanguageModel  # its client takes time to start

    def choose(mentions: Mentions, groups: Groups) -> list[Description]:
        # A model of its own for each call: it counts what it is asked.
        return LanguageModel(rank, LlmParams()).rank(mentions, groups)

    return choose


def _embedder(encoder: QueryEncoder, other: str | None) -> Embedder:
    """Embeds with the mentions' encoder, or with another one, by its name."""
    if other is not None:
        encoder = encoder.replaced(other)

    def embed(side: str, rows: Sequence[TextInput]) -> NDArray[np.floating]:
        found = encoder.rows(rows, of_mentions=side == "mention", budget=0)
        return np.stack([row.pooled for row in found if row.pooled is not None])

    return embed
