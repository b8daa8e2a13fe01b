"""The table of all systems: every cell is made once, and what is in it is what the stages find."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from mmoe.config.load import ParamsFile
from mmoe.errors import MmoeError

from pipeline import table
from pipeline.layout import Layout
from pipeline.train import train
from tests.pipeline.tiny import write_params

at = Layout("tiny")


def lines_of(found: str, part: int, name: str) -> dict[str, str]:
    """A system's cells by column, with the descriptions (0) or without (1)."""
    rows = [line for line in found.split("Gain: over")[part].splitlines() if line.startswith("|")]
    columns, *others = ([cell.strip() for cell in row.strip("|").split("|")] for row in rows)
    return next(dict(zip(columns, row, strict=True)) for row in others if row[0] == name)


def test_a_table_is_made_once_and_grows_with_seeds(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(MmoeError, match="MICMIC: no such row; there are MMoE, "):
        table.table("tiny", [43], ["MICMIC"])
    only = ["MIMIC as released"]
    found = table.table("tiny", [43], only)
    ranks = pq.read_table(at.ranks / "baselines.parquet").to_pandas()
    mrr = (100 / ranks[ranks["method"] == "two-part cosine"]["rank"]).mean()
    assert lines_of(found, 0, "two-part cosine")["MRR"] == f"{mrr:.2f}"
    assert lines_of(found, 0, "order of retrieval")["MRR"] == table.NO_RANK
    assert lines_of(found, 0, "MIMIC as released")["Seeds"] == "1"
    assert lines_of(found, 1, "MIMIC as released")["Parameters"] != table.NO_RANK
    trained: list[int] = []

    def counted(cell: Layout, file: ParamsFile) -> None:
        trained.append(file.content["train"]["seed"])
        train(cell, file)

    monkeypatch.setattr(table, "train", counted)
    assert table.table("tiny", [43], only) == found
    assert trained == []
    more = table.table("tiny", [43, 44], only)
    assert trained == [44] * 2
    assert lines_of(more, 0, "MIMIC as released")["Seeds"] == "2"
    assert float(lines_of(more, 0, "MIMIC as released")["Spread"]) >= 0
    # Another learning rate is another table.
    write_params(Path("params.yaml"), train={"learning_rate": 1e-3})
    table.table("tiny", [43], only)
    assert trained == [44] * 2 + [43] * 2
    assert at.features.exists()  # the run itself is left as it was
