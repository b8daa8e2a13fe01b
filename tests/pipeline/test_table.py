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


def line_of(found: str, name: str) -> dict[str, str]:
    """A system's cells by column."""
    rows = [line for line in found.splitlines() if line.startswith("|")]
    columns, *others = ([cell.strip() for cell in row.strip("|").split("|")] for row in rows)
    return next(dict(zip(columns, row, strict=True)) for row in others if row[0] == name)


def test_a_table_is_made_once_and_grows_with_seeds(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(MmoeError, match="MICMIC: no such row; there are MMoE, "):
        table.table("tiny", [43], ["MICMIC"])
    write_params(Path("params.yaml"), rank={"backend": "none"})
    trained: list[int] = []

    def counted(cell: Layout, file: ParamsFile) -> None:
        trained.append(file.content["train"]["seed"])
        train(cell, file)

    monkeypatch.setattr(table, "train", counted)
    found = table.table("tiny", [43], ["MIMIC"])
    assert found.count("Without descriptions") == 1
    ranks = pq.read_table(at.ranks / "baselines.parquet").to_pandas()  # of names, as before
    mrr = (100 / ranks[ranks["method"] == "cosine, surface form–name"]["rank"]).mean()
    assert line_of(found, "cosine, surface form–name")["MRR"] == f"{mrr:.2f}"
    assert line_of(found, "order of retrieval")["MRR"] == table.NO_RANK
    again = line_of(found, "reranked")
    assert "to" in again["Gain (95 %)"]
    assert again["Parameters"] == table.NO_RANK
    assert line_of(found, "MIMIC")["Seeds"] == "1"
    assert table.table("tiny", [43], ["MIMIC"]) == found
    assert trained == [43]
    more = table.table("tiny", [43, 44], ["MIMIC"])
    assert trained == [43, 44]
    assert line_of(more, "MIMIC")["Seeds"] == "2"
    assert float(line_of(more, "MIMIC")["Spread"]) >= 0
    # Another learning rate is another table.
    write_params(Path("params.yaml"), rank={"backend": "none"}, train={"learning_rate": 3e-3})
    table.table("tiny", [43], ["MIMIC"])
    assert trained == [43, 44, 43]
    assert at.features.exists()  # the run itself is left as it was


def test_published_variants_get_features_with_padding() -> None:
    padded = {name for name, changes in table.MATCHERS.items() if "encode.keep_padding" in changes}
    assert padded == {name for name in table.MATCHERS if name.endswith("as released")}
