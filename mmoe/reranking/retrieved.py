"""What retrieval and the description ranker say of a pair."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from mmoe.reranking.pairs import Pairs


class RetrievedFeatures:
    """What retrieval and description ranking know of a pair, and how popular a retrieved entity is.

    Popularity, ln(1 + Wikipedia articles), is that of retrieved entities alone: which of the others would
    be known depends on the other mentions of the data set, so on its gold entities too.

    Args:
        candidates: of each mention, positions of entities in retrieval's order.
        chosen: position of the entity whose description the mention got, by mention; none for most of them
            without description ranking.
        articles: number of Wikipedia articles, by position of an entity; those that retrieval tells.
    """

    names = ("retrieved", "order of retrieval", "description chosen", "popularity")

    def __init__(
        self,
        candidates: Sequence[NDArray[np.int64]],
        chosen: Mapping[int, int],
        articles: Mapping[int, int],
        num_entities: int,
    ) -> None:
        lengths = [len(own) for own in candidates]
        rows = np.repeat(np.arange(len(candidates)), lengths)
        columns = np.concatenate([np.empty(0, dtype=np.int64), *candidates])
        orders = np.concatenate([np.empty(0), *(1 / np.arange(1, n + 1) for n in lengths)])
        shape = len(candidates), num_entities
        self.retrieved = csr_array((np.ones(len(rows)), (rows, columns)), shape=shape)
        self._order = csr_array((orders, (rows, columns)), shape=shape)
        places = (list(chosen), list(chosen.values()))
        self._chosen = csr_array((np.ones(len(chosen)), places), shape=shape)
        self._popularity_N = np.full(num_entities, np.nan)
        self._popularity_N[list(articles)] = np.log1p(list(articles.values()))

    def of(self, pairs: Pairs) -> NDArray[np.float32]:
        """All features [B, D, F] of pairs; NaN for a popularity that is not known."""
        rows = np.repeat(pairs.rows, pairs.entities_BD.shape[1])
        entities = pairs.entities_BD.ravel()
        found = [
            np.asarray(table[rows, entities]).reshape(pairs.entities_BD.shape)
            for table in (self.retrieved, self._order, self._chosen)
        ]
        popularity_BD = self._popularity_N[pairs.entities_BD]
        found.append(np.where(found[0] > 0, popularity_BD, np.nan))
        return np.stack(found, axis=-1).astype(np.float32)
