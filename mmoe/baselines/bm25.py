"""Baseline BM25: a mention's text as a query over the entities' names and attributes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mmoe.bm25 import TextIndex
from mmoe.evaluation.ranks import Ranks, count_ranks_in_chunks
from mmoe.records import Entity

SCORES_AT_A_TIME = 1 << 22  # 32 MiB


def bm25_ranks(
    queries: Sequence[str], gold_qids: Sequence[str | None], entities: Sequence[Entity]
) -> Ranks:
    """Ranks by BM25 of any texts.

    Args:
        gold_qids: of each query, in the knowledge base.
        entities: the whole knowledge base.
    """
    rows: dict[str | None, int] = {entity.qid: row for row, entity in enumerate(entities)}
    gold_M = np.array([rows[qid] for qid in gold_qids], dtype=np.int64)
    index = TextIndex([f"{entity.name} {entity.attributes}" for entity in entities])

    def scores(of: slice) -> NDArray[np.float64]:
        return index.scores(queries[of])

    return count_ranks_in_chunks(scores, gold_M, max(1, SCORES_AT_A_TIME // len(entities)))
