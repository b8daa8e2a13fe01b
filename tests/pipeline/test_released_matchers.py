"""The published variants go from features with padding to ranks and report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import torch

from mmoe.cli import main
from mmoe.linker.linker import Linker
from mmoe.linking.checkpoint import load_matcher
from mmoe.model.released_names import released_name

from pipeline.layout import Layout
from tests.pipeline.project import one_line, run
from tests.pipeline.tiny import write_params

at = Layout("tiny")


def test_mmoe_as_released_is_trained_ranked_and_reported(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sections: dict[str, Any] = {
        "model": {"name": "mmoe_released"},
        "mmoe_released": {"evaluation_batch": 7},
        "encode": {"keep_padding": True, "max_text_length": 50},
    }
    write_params(Path("params.yaml"), **sections)
    # The features of the built project hold no padding.
    assert "keep_padding = False" in one_line(capsys, "train", "tiny")
    for stage in ("encode", "train"):
        run(stage, "tiny")
    assert load_matcher(at.model).encoding_batch == 7
    tables = []
    for engine in ("brute", "bounds"):
        write_params(Path("params.yaml"), **sections, evaluate={"engine": engine})
        run("evaluate", "tiny")
        assert "7 rows at a time, in the order of ids" in capsys.readouterr().out
        tables.append(pq.read_table(at.ranks / "ranks.parquet"))
    brute, bounds = (table.drop(["gold", "top"]) for table in tables)
    assert brute.equals(bounds)
    linker = Linker.from_run(at.model, at.mentions.parent, device="cpu")
    assert len(linker.link("Mercury", "Mercury is a planet.", top_k=2).links) == 2
    for stage in ("baselines", "description_ablation", "metrics", "report"):
        run(stage, "tiny")
    metrics = json.loads((at.report / "metrics.json").read_text("utf-8"))
    assert 0 < metrics["mrr"] <= 100
    rows = pq.read_table(at.ranks / "description_ablation.parquet").to_pylist()
    own = {
        row["mention_id"]: row["rank"]
        for row in rows
        if row["system"] == "mmoe_released" and row["backend"] == "lexical"
    }
    ranks = pq.read_table(at.ranks / "ranks.parquet").to_pylist()
    assert own == {row["mention_id"]: row["rank"] for row in ranks}


def test_an_imported_checkpoint_ranks_as_the_matcher_that_it_holds(project: Path) -> None:
    """Trained here, brought into the published form, imported, and evaluated again."""
    sections: dict[str, Any] = {
        "model": {"name": "mmoe_released", "residual": True},
        "encode": {"keep_padding": True, "max_text_length": 50},
        "evaluate": {"untrained": False},
    }
    write_params(Path("params.yaml"), **sections)
    for stage in ("encode", "train", "evaluate"):
        run(stage, "tiny")
    wanted = (at.ranks / "ranks.parquet").read_bytes()
    matcher = load_matcher(at.model)
    names = {name: released_name(matcher, name) for name in matcher.state_dict()}
    state = {names[n]: each for n, each in matcher.state_dict().items() if names[n] is not None}
    torch.save({"state_dict": state}, "published.ckpt")
    (at.model / "matcher.safetensors").unlink()
    encoder = "data/raw/sample/clip"
    arguments = ["import-checkpoint", "mmoe", "published.ckpt", str(at.model), "--encoder", encoder]
    assert main(arguments) == 0
    run("evaluate", "tiny")
    assert (at.ranks / "ranks.parquet").read_bytes() == wanted


@pytest.mark.parametrize("name", ["mimic", "m3el"])
def test_the_others_too(name: str, project: Path) -> None:
    write_params(
        Path("params.yaml"),
        model={"name": name},
        **{name: {"variant": "released"}},
        encode={"keep_padding": True},
    )
    for stage in ("encode", "train", "evaluate"):
        run(stage, "tiny")
    assert load_matcher(at.model).spec.widths.padded
