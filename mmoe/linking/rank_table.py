"""Ranks and best entities of every mention as one Parquet table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from mmoe.evaluation.ranks import Ranks
from mmoe.files import atomic_write
from mmoe.linking.ranking import MentionRanks
from mmoe.records import Entity, Mention

UNITS = ("text", "vision", "cross")


def write_rank_table(
    path: Path,
    mentions: Sequence[Mention],
    entities: Sequence[Entity],
    ranked: MentionRanks,
    untrained: Ranks | None,
) -> None:
    """Writes one row a mention.

    Columns: mention_id, gold_qid, rank and rank_optimistic of the gold entity, untrained_rank (null
    without an untrained matcher), top: the best entities with overall and unit scores, best first;
    scores of units that the matcher lacks are null.
    """
    overall_Bn = np.sum(list(ranked.unit_scores_Bn.values()), axis=0)
    score = pa.float64()
    top = pa.list_(
        pa.struct([("qid", pa.string()), ("overall", score), *((unit, score) for unit in UNITS)])
    )
    units = {unit: ranked.unit_scores_Bn.get(unit) for unit in UNITS}
    best = [
        [
            {
                "qid": entities[entity].qid,
                "overall": float(overall_Bn[i, j]),
                **{
                    unit: None if table is None else float(table[i, j])
                    for unit, table in units.items()
                },
            }
            for j, entity in enumerate(ranked.top_Bn[i])
        ]
        for i in range(len(mentions))
    ]
    nothing = [None] * len(mentions)
    table = pa.table(
        {
            "mention_id": pa.array([mention.mention_id for mention in mentions], pa.string()),
            "gold_qid": pa.array([mention.gold_qid for mention in mentions], pa.string()),
            "rank": pa.array(ranked.ranks.pessimistic, pa.int64()),
            "rank_optimistic": pa.array(ranked.ranks.optimistic, pa.int64()),
            "untrained_rank": pa.array(
                nothing if untrained is None else untrained.pessimistic, pa.int64()
            ),
            "top": pa.array(best, top),
        }
    )
    with atomic_write(path) as temporary:
        pq.write_table(table, temporary, compression="zstd")
