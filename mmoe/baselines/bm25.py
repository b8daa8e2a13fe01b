"""Baseline BM25: the mention's text as a query over the entities' names and attributes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mmoe.bm25 import TextIndex
from mmoe.evaluation.ranks import Ranks, count_ranks
from mmoe.records import Entity, Mention

SCORES_AT_A_TIME = 1 << 22  # 32 MiB


def bm25_word_context(mentions: Sequence[Mention], entities: Sequence[Entity]) -> Ranks:
    """Ranks by BM25 of word and context; see `bm25_word` for the arguments."""
    queries = [f"{mention.surface_form} {mention.context}" for mention in mentions]
    return bm25_ranks(queries, [mention.gold_qid for mention in mentions], entities)


def bm25_word(mentions: Sequence[Mention], entities: Sequence[Entity]) -> Ranks:
    """Ranks by BM25 of the word alone.

    Args:
        mentions: each with its gold entity in the knowledge base.
        entities: the whole knowledge base.
    """
    gold_qids = [mention.gold_qid for mention in mentions]
    return bm25_ranks([mention.surface_form for mention in mentions], gold_qids, entities)


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
    batch = max(1, SCORES_AT_A_TIME // len(entities))
    parts = [
        count_ranks(index.scores(queries[start : start + batch]), gold_M[start : start + batch])
        for start in range(0, len(queries), batch)
    ]
    return Ranks(
        pessimistic=np.concatenate([np.empty(0, np.int64), *(part.pessimistic for part in parts)]),
        optimistic=np.concatenate([np.empty(0, np.int64), *(part.optimistic for part in parts)]),
    )
