"""What retrieval and the description ranker say of a pair."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from mmoe.evaluation.ranks import candidate_lists
from mmoe.records import Candidate, Mention
from mmoe.reranking.pairs import Pairs


@dataclass(frozen=True)
class Retrieved:
    """What retrieval found for some mentions, as positions of entities.

    Attributes:
        candidates: of each mention, in retrieval's order.
        chosen: the entity whose description the mention got, by mention; none for most of them without
            description ranking.
        articles: number of Wikipedia articles, by entity; those that retrieval tells.
    """

    candidates: Sequence[NDArray[np.int64]]
    chosen: Mapping[int, int]
    articles: Mapping[int, int]

    @classmethod
    def of(
        cls,
        mentions: Sequence[Mention],
        candidates: Sequence[Candidate],
        chosen: Mapping[str, str],
        position: Mapping[str, int],
    ) -> Retrieved:
        """From records.

        Args:
            chosen: the qid whose description a mention got, by mention_id.
            position: of an entity, by its qid.
        """
        own = [chosen.get(mention.mention_id, "") for mention in mentions]
        return cls(
            candidate_lists(mentions, candidates, position),
            {row: position[qid] for row, qid in enumerate(own) if qid in position},
            {
                position[each.qid]: each.sitelinks
                for each in candidates
                if each.qid in position and each.sitelinks is not None
            },
        )


class RetrievedFeatures:
    """What retrieval and description ranking know of a pair, and how popular a retrieved entity is.

    Popularity, ln(1 + Wikipedia articles), is that of retrieved entities alone: which of the others would
    be known depends on the other mentions of the data set, so on its gold entities too.
    """

    names = ("retrieved", "order of retrieval", "description chosen", "popularity")

    def __init__(self, found: Retrieved, num_entities: int) -> None:
        lengths = [len(own) for own in found.candidates]
        rows = np.repeat(np.arange(len(lengths)), lengths)
        columns = np.concatenate([np.empty(0, dtype=np.int64), *found.candidates])
        orders = np.concatenate([np.empty(0), *(1 / np.arange(1, n + 1) for n in lengths)])
        shape = len(lengths), num_entities
        self.retrieved = csr_array((np.ones(len(rows)), (rows, columns)), shape=shape)
        self._order = csr_array((orders, (rows, columns)), shape=shape)
        places = (list(found.chosen), list(found.chosen.values()))
        self._chosen = csr_array((np.ones(len(found.chosen)), places), shape=shape)
        self._popularity = {i: np.log1p(count) for i, count in found.articles.items()}

    def of(self, pairs: Pairs) -> NDArray[np.float32]:
        """All features [B, D, F] of pairs; NaN for a popularity that is not known."""
        rows = np.repeat(pairs.rows, pairs.entities_BD.shape[1])
        entities = pairs.entities_BD.ravel()
        found = [
            np.asarray(table[rows, entities]).reshape(pairs.entities_BD.shape)
            for table in (self.retrieved, self._order, self._chosen)
        ]
        known = [self._popularity.get(entity, np.nan) for entity in entities.tolist()]
        popularity_BD = np.array(known).reshape(pairs.entities_BD.shape)
        found.append(np.where(found[0] > 0, popularity_BD, np.nan))
        return np.stack(found, axis=-1).astype(np.float32)
