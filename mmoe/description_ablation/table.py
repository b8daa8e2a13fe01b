"""The ranks that the comparison found, mention by mention."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from mmoe.description_ablation.texts import ChoiceTexts
from mmoe.description_ablation.worth import Choices
from mmoe.evaluation.ranks import Ranks

SCHEMA = pa.schema(
    [
        pa.field("mention_id", pa.string(), nullable=False),
        pa.field("backend", pa.string(), nullable=False),
        pa.field("system", pa.string(), nullable=False),
        pa.field("rank", pa.int64(), nullable=False),
        pa.field("rank_optimistic", pa.int64(), nullable=False),
    ]
)


def rank_table(
    choices: Choices, texts: ChoiceTexts, ranks_by_system: Mapping[str, Ranks]
) -> pa.Table:
    """One row for each mention, backend and system.

    Args:
        ranks_by_system: of all texts, in their order.
    """
    parts = []
    for system, ranks in ranks_by_system.items():
        for backend, records in choices.items():
            found = texts.ranks_of(records, ranks)
            columns = [
                [record.mention_id for record in records],
                [backend] * len(records),
                [system] * len(records),
                found.pessimistic,
                found.optimistic,
            ]
            arrays = [pa.array(c, field.type) for c, field in zip(columns, SCHEMA, strict=True)]
            parts.append(pa.Table.from_arrays(arrays, schema=SCHEMA))
    return pa.concat_tables([SCHEMA.empty_table(), *parts])
