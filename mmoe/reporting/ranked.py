"""The ranks that evaluation found, mention by mention, with the best entities and their scores."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from mmoe.errors import DataError, one_line

COLUMNS = ("mention_id", "gold_qid", "rank", "rank_optimistic", "untrained_rank", "gold", "top")


@dataclass(frozen=True)
class Scored:
    """An entity, its score, and what each unit of the matcher contributes."""

    qid: str
    overall: float
    units: dict[str, float]


class RankedMentions:
    """ranks.parquet: plain columns at once, the list of best entities only where it is asked for.

    Attributes:
        mention_ids, gold_qids: of every evaluated mention.
        ranks: int64 [M], pessimistic, 1 is best.
        untrained: int64 [M], ranks of the same matcher before training; None if they were not measured.
    """

    def __init__(self, table: pa.Table) -> None:
        self.mention_ids: list[str] = table["mention_id"].to_pylist()
        self.gold_qids: list[str] = table["gold_qid"].to_pylist()
        self.ranks: NDArray[np.int64] = table["rank"].to_numpy()
        column = table["untrained_rank"]
        self.untrained: NDArray[np.int64] | None = (
            None if column.null_count or not len(column) else column.to_numpy()
        )
        self._table = table

    def __len__(self) -> int:
        return len(self.mention_ids)

    def top(self, row: int) -> list[Scored]:
        """The best entities of one mention, best first."""
        return [_scored(entity) for entity in self._table["top"][row].as_py()]

    def gold(self, row: int) -> Scored:
        """The gold entity's own scores, whatever its rank."""
        return _scored({"qid": self.gold_qids[row], **self._table["gold"][row].as_py()})


def read_ranked(path: Path) -> RankedMentions:
    """Reads ranks.parquet.

    Raises:
        DataError: if it is missing, truncated, or lacks a column.
    """
    try:
        table = pq.read_table(path)
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; run stage evaluate (dvc repro)") from None
    except (pa.ArrowInvalid, OSError) as error:
        raise DataError(
            f"{path}: not a whole Parquet file ({one_line(error)}); delete it and run dvc repro"
        ) from None
    missing = [name for name in COLUMNS if name not in table.column_names]
    if missing:
        raise DataError(f"{path}: lacks column {', '.join(missing)}; run stage evaluate again")
    return RankedMentions(table)


def _scored(scores: dict[str, Any]) -> Scored:
    """The columns beside qid and the overall score are the matcher's units, by its own names."""
    units = {name: value for name, value in scores.items() if name not in ("qid", "overall")}
    return Scored(scores["qid"], scores["overall"], units)
