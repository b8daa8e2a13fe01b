"""Ranks, gold scores and best entities of every mention as one table."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from mmoe.evaluation.ranks import Ranks
from mmoe.linking.ranked import MentionRanks
from mmoe.model.matcher import OVERALL
from mmoe.records import Entity, Mention


def rank_table(
    mentions: Sequence[Mention],
    entities: Sequence[Entity],
    ranked: MentionRanks,
    untrained: Ranks | None,
) -> pa.Table:
    """One row a mention.

    Columns: mention_id, gold_qid, rank and rank_optimistic of the gold entity, untrained_rank (null
    without an untrained matcher), candidate_rank and candidate_rank_optimistic: where only the mention's
    candidates can be an answer (null without retrieval), gold: the gold entity's overall and unit scores,
    top: the best entities with theirs, best first. The scores' names are the matcher's: `overall`, then its
    units.
    """
    names = [OVERALL, *(name for name in ranked.gold_scores_B if name != OVERALL)]
    scores = [(name, pa.float64()) for name in names]
    gold = [
        {name: float(ranked.gold_scores_B[name][i]) for name in names} for i in range(len(mentions))
    ]
    best = [
        [
            {
                "qid": entities[entity].qid,
                **{name: float(ranked.best.scores_Bn[name][i, j]) for name in names},
            }
            for j, entity in enumerate(ranked.best.top_Bn[i])
        ]
        for i in range(len(mentions))
    ]
    nothing = [None] * len(mentions)
    return pa.table(
        {
            "mention_id": pa.array([mention.mention_id for mention in mentions], pa.string()),
            "gold_qid": pa.array([mention.gold_qid for mention in mentions], pa.string()),
            "rank": pa.array(ranked.ranks.pessimistic, pa.int64()),
            "rank_optimistic": pa.array(ranked.ranks.optimistic, pa.int64()),
            "untrained_rank": pa.array(
                nothing if untrained is None else untrained.pessimistic, pa.int64()
            ),
            "candidate_rank": pa.array(
                nothing if ranked.among is None else ranked.among.pessimistic, pa.int64()
            ),
            "candidate_rank_optimistic": pa.array(
                nothing if ranked.among is None else ranked.among.optimistic, pa.int64()
            ),
            "gold": pa.array(gold, pa.struct(scores)),
            "top": pa.array(best, pa.list_(pa.struct([("qid", pa.string()), *scores]))),
        }
    )
